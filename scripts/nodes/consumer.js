// Somebody else's project with the packed package in it, beside Express 5 and 4, and what is run
// there.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './matrix.js';

const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Packs the built package and installs it in a temporary folder. Resolves to the folder. */
export async function installPackage() {
  const folder = mkdtempSync(join(tmpdir(), 'require-api-key-nodes-'));
  const npm = async (cwd, ...args) => (await promisify(execFile)('npm', args, { cwd })).stdout;
  const [{ filename }] = JSON.parse(
    await npm(root, 'pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder),
  );
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  await npm(
    folder,
    ...[
      'install',
      `./${filename}`,
      `express@${devDependencies.express}`,
      `express4@${devDependencies.express4}`,
    ],
    ...['--silent', '--no-audit', '--no-fund', '--prefer-offline', '--omit=optional'],
  );
  cpSync(join(root, 'test/package/consumer'), folder, { recursive: true });
  return folder;
}

const expresses = { 'Express 5': 'express', 'Express 4': 'express4' };
const kinds = { 'ES modules': 'mjs', CommonJS: 'cjs' };

/**
 * Every combination: what it is, the arguments for Node, and what its output says when all is well.
 */
export function combinations(folder, jest) {
  const command = join(folder, 'node_modules/require-api-key/dist/esm/cli.js');
  return [
    ...Object.entries(kinds).flatMap(([kind, extension]) =>
      Object.entries(expresses).map(([version, express]) => ({
        title: `${kind}, ${version}`,
        args: [`app.${extension}`, express],
        says: /^\d+ checks$/m,
        isQuiet: true,
      })),
    ),
    ...Object.entries(kinds).map(([kind, extension]) => ({
      title: `${kind}, both, in Jest`,
      args: [
        ...(extension === 'mjs' ? ['--experimental-vm-modules'] : []),
        join(jest, 'node_modules/jest/bin/jest.js'),
        ...['--ci', '--watchman=false', '--config', JSON.stringify(jestConfig(folder, extension))],
      ],
      // It says so on stderr, beside Node's own warning of modules in a virtual machine.
      says: /^Tests: +\d+ passed, \d+ total$/m,
    })),
    {
      title: 'require-api-key generate',
      args: [command, 'generate'],
      says: /^key_[0-9A-Za-z]{48}$/m,
    },
    {
      title: 'require-api-key --help',
      args: [command, '--help'],
      says: /^ +generate /m,
      isQuiet: true,
    },
  ];
}

const jestConfig = (rootDir, extension) => ({
  rootDir,
  testMatch: [`**/app.jest.${extension}`],
  moduleFileExtensions: ['js', 'mjs', 'cjs', 'json'],
  transform: {},
  cacheDirectory: join(rootDir, 'jest-cache'),
});

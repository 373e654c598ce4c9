// The Nodes that the package is tested on: those of tools/node-matrix where they run, else the one
// that runs this.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const root = join(import.meta.dirname, '../..');
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** What a folder of tools/ asks for, by name: the version behind each alias. */
export const pinned = (folder, omitsDev = false) => {
  const {
    dependencies = {},
    devDependencies = {},
    optionalDependencies = {},
  } = readJson(join(folder, 'package.json'));
  const wanted = { ...dependencies, ...(!omitsDev && devDependencies), ...optionalDependencies };
  return Object.entries(wanted).map(([name, each]) => ({
    name,
    version: each.replace(/^npm:.*@/, ''),
  }));
};

const packagesOf = (lockFile) => (existsSync(lockFile) ? readJson(lockFile).packages : {});

/**
 * The folder of tools/ with what its lock file says installed, anew where that has changed.
 * `options` are npm's. Resolves to its folder.
 */
export async function installTool(name, ...options) {
  const folder = join(root, 'tools', name);
  const locked = packagesOf(join(folder, 'package-lock.json'));
  // Where npm writes down what it has put there.
  const installed = packagesOf(join(folder, 'node_modules/.package-lock.json'));
  const omitsDev = options.includes('--omit=dev');
  const isInstalled = pinned(folder, omitsDev).every(({ name: each }) => {
    const path = `node_modules/${each}`;
    return existsSync(join(folder, path)) && installed[path]?.integrity === locked[path]?.integrity;
  });
  if (!isInstalled) {
    console.log(`Installing tools/${name}.`);
    await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund', ...options], {
      cwd: folder,
    });
  }
  return folder;
}

export const majorOf = (version) => Number.parseInt(version, 10);

/**
 * Each Node with its version and its program; `suite` says whether `npm test` has not been on its
 * major version.
 */
export async function nodes() {
  const running = [{ version: process.versions.node, program: process.execPath, suite: false }];
  if (process.env.TEST_NODES === 'running') return running;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('Only the running Node is tested: the others are programs for Linux on x64.');
    return running;
  }
  const folder = await installTool('node-matrix');
  return pinned(folder).map(({ name, version }) => ({
    version,
    program: join(folder, 'node_modules', name, 'bin/node'),
    suite: majorOf(version) !== majorOf(process.versions.node),
  }));
}

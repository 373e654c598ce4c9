import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);

// One program in TypeScript, as a module of either kind. What must not compile is marked, so `any`
// instead of types fails.
const typed = `import { apiKeyOf, ApiKeyManager, MemoryKeyStore, requireApiKey, type ApiKey } from 'require-api-key';
import { PostgresKeyStore } from 'require-api-key/postgres';
import { keyStoreContract } from 'require-api-key/testing';
import { claimPage, keyDesk } from 'require-api-key/web';
import { Router } from 'express';

const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
export const router = Router();
router.use('/claim', claimPage({ keys }), keyDesk({ keys }));
router.get('/hello', requireApiKey({ source: keys, scopes: ['greet'] }), (req, res) => {
  const apiKey: ApiKey = apiKeyOf(req);
  // @ts-expect-error -- the identity may be absent
  void req.apiKey.user;
  res.json(apiKey.user);
});
// @ts-expect-error -- no such option
requireApiKey({ sauce: keys });
export const store = new PostgresKeyStore({ client: { query: async () => ({ rows: [] }) } });
export const cases: { title: string }[] = keyStoreContract(() => new MemoryKeyStore());
`;

const versions = [
  { version: 'Express 5', express: 'express', types: '@types/express' },
  { version: 'Express 4', express: 'express4', types: 'types-express4' },
] as const;

let folder: string;
let packed: string[];
let size: { packed: number; unpacked: number };

/** An app of somebody else: the installed package beside one of the two versions of Express. */
const consumer = (version: string) => join(folder, version.replace(' ', '-'));
const installed = () => join(consumer('Express 5'), 'node_modules/require-api-key');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'consumers-'));
  // Without scripts: building again would take away the dist that other tests are running on.
  const pack = await run('npm', [
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    folder,
  ]);
  const [{ filename, files: list, ...sizes }] = JSON.parse(pack.stdout) as [
    { filename: string; files: { path: string }[]; size: number; unpackedSize: number },
  ];
  size = { packed: sizes.size, unpacked: sizes.unpackedSize };
  packed = list.map(({ path }) => path);
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  await run(
    'npm',
    ['install', join(folder, filename), '--no-audit', '--no-fund', '--prefer-offline'],
    {
      cwd: folder,
    },
  );
  for (const { version, express, types } of versions) {
    const modules = join(consumer(version), 'node_modules');
    cpSync(join(folder, 'node_modules'), modules, { recursive: true, verbatimSymlinks: true });
    mkdirSync(join(modules, '@types'));
    symlinkSync(resolve('node_modules', express), join(modules, 'express'));
    symlinkSync(resolve('node_modules', types), join(modules, '@types/express'));
    symlinkSync(resolve('node_modules/@types/node'), join(modules, '@types/node'));
    cpSync('test/package/consumer', consumer(version), { recursive: true });
    for (const name of ['typed.mts', 'typed.cts'])
      writeFileSync(join(consumer(version), name), typed);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the packed files', () => {
  it('the list -> what runs, its types, the license, the README and the changelog; no sources, tests or maps', () => {
    const known =
      /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|openapi\/(?:account-keys|key-desk)\.json|dist\/cjs\/package\.json|dist\/THIRD-PARTY-LICENSES\.md|dist\/(?:esm|cjs)\/[\w/-]+\.(?:js|d\.ts))$/;
    expect(packed.filter((path) => !known.test(path))).toEqual([]);
    expect(packed).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'dist/cjs/package.json',
        'dist/THIRD-PARTY-LICENSES.md',
        'openapi/account-keys.json',
        'openapi/key-desk.json',
      ]),
    );
  });

  it('a declaration -> of a file of the sources as they are, not left over from another build', () => {
    const declarations = packed.filter((path) => path.endsWith('.d.ts'));
    const sources = declarations.map((path) =>
      path.replace(/^dist\/(?:esm|cjs)/, 'src').replace(/\.d\.ts$/, '.ts'),
    );
    expect(sources.length).toBeGreaterThan(300);
    expect(sources.filter((path) => !existsSync(path))).toEqual([]);
  });

  it('the size of all -> under 800 kB packed and 3.2 MB unpacked', () => {
    // Most of it are the two formats, and the command line with what it contains.
    expect(size.packed).toBeLessThan(800_000);
    expect(size.unpacked).toBeLessThan(3_200_000);
  });

  it('each entry -> its types beside it, for modules and for CommonJS', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Record<string, { import: { default: string }; require: { default: string } }>;
    };
    const entries = Object.entries(manifest.exports).filter(([name]) => !name.endsWith('.json'));
    const programs = entries.flatMap(([, { import: esm, require: cjs }]) =>
      [esm, cjs].map((each) => each.default.replace('./', '')),
    );
    expect(programs.length).toBeGreaterThan(7);
    expect(packed).toEqual(
      expect.arrayContaining(programs.map((path) => path.replace(/\.js$/, '.d.ts'))),
    );
  });

  it('an installation -> one package, without anything that it depends on', () => {
    const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, unknown>;
    };
    const added = Object.keys(lock.packages).filter((path) => path !== '');
    expect(added).toEqual(['node_modules/require-api-key']);
  });

  it('each package whose code the command line contains -> its license among the packed files', () => {
    const licenses = readFileSync(join(installed(), 'dist/THIRD-PARTY-LICENSES.md'), 'utf8');
    const programs = packed.filter((path) => /^dist\/esm\/cli(?:\/[\w-]+)?\.js$/.test(path));
    const code = programs.map((path) => readFileSync(join(installed(), path), 'utf8')).join('\n');
    const origins = code.matchAll(/^\/\/ (?:\S*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/gm);
    const bundled = Array.from(origins, ([, name]) => name!);
    expect(new Set(bundled)).toContain('commander');
    for (const name of new Set(bundled)) expect(licenses).toContain(`\n## ${name} `);
  });

  it('a file that another one names -> it was packed', () => {
    const missing: string[] = [];
    // The pages' own files are text in these; what that imports is served, not packed.
    const served = /\/(?:web|cli)\.js$|\/assets\.d\.ts$/;
    const programs = packed.filter((name) => /\.(?:js|d\.ts)$/.test(name) && !served.test(name));
    for (const path of programs) {
      const text = readFileSync(join(installed(), path), 'utf8');
      for (const [, , name] of text.matchAll(/\b(from|import|require)[ (]+['"](\.[^'"\n]+)['"]/g)) {
        const target = join(
          dirname(path),
          path.endsWith('.d.ts') ? name!.replace(/\.js$/, '.d.ts') : name!,
        );
        if (!packed.includes(target)) missing.push(`${path}: ${name}`);
      }
      expect(text, path).not.toContain('sourceMappingURL');
    }
    expect(missing).toEqual([]);
  });

  it('every entry of "exports", "bin", "main", "module" and "types" -> a packed file', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, unknown>;
    const targets = JSON.stringify([
      manifest['exports'],
      manifest['bin'],
      manifest['main'],
      manifest['module'],
      manifest['types'],
      manifest['typesVersions'],
    ]);
    const named = [...targets.matchAll(/"\.\/([^"]+\.(?:js|ts|json))"/g)].map(([, path]) => path!);
    expect(named.length).toBeGreaterThan(21);
    expect(named.filter((path) => !packed.includes(path))).toEqual([]);
  });
});

describe.each(versions)('installed beside $version', ({ version }) => {
  it.each(['app.mjs', 'app.cjs'])('%s -> does with the package what an app does', async (file) => {
    const { stdout, stderr } = await run(process.execPath, [file, 'express'], {
      cwd: consumer(version),
    });
    expect(stdout).toMatch(/^\d+ checks\n$/);
    expect(stderr).toBe('');
  });

  it('TypeScript, module nodenext, node16 and bundler -> compiles with full types', async () => {
    const compile = (sources: string[], ...options: string[]) =>
      run(
        resolve('node_modules/.bin/tsc'),
        ['--noEmit', '--strict', '--skipLibCheck', '--types', 'node', ...options, ...sources],
        { cwd: consumer(version) },
      ).catch(({ stdout }: { stdout: string }) => expect.fail(stdout));
    await compile(
      ['typed.mts', 'typed.cts'],
      '--module',
      'nodenext',
      '--exactOptionalPropertyTypes',
    );
    await compile(['typed.mts', 'typed.cts'], '--module', 'node16');
    await compile(['typed.mts'], '--module', 'esnext', '--moduleResolution', 'bundler');
  });
});

describe('the installed package', () => {
  it('its types alone, library checks on -> no error in them', async () => {
    const checked = run(
      resolve('node_modules/.bin/tsc'),
      ['--noEmit', '--strict', '--types', 'node', '--module', 'nodenext', 'typed.mts'],
      { cwd: consumer('Express 5') },
    ).catch(({ stdout }: { stdout: string }) => ({ stdout }));
    expect(
      (await checked).stdout.split('\n').filter((line) => line.includes('require-api-key')),
    ).toEqual([]);
  });

  it('the command -> makes a key that the package takes for one', async () => {
    const command = join(consumer('Express 5'), 'node_modules/.bin/require-api-key');
    const { stdout } = await run(command, ['generate'], { cwd: folder });
    const { stdout: parsed } = await run(
      process.execPath,
      [
        '--eval',
        `console.log(require('require-api-key').parseApiKey(${JSON.stringify(stdout.trim())}).prefix)`,
      ],
      { cwd: consumer('Express 5') },
    );
    expect(parsed.trim()).toBe('key');
  });

  it('the root entry, required where nothing optional is installed -> loads nothing but itself', async () => {
    const list = `require('require-api-key'); console.log(JSON.stringify(Object.keys(require.cache)))`;
    const { stdout } = await run(process.execPath, ['--eval', list], {
      cwd: consumer('Express 5'),
    });
    const packages = (JSON.parse(stdout) as string[]).map(
      (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(file)?.[1],
    );
    expect([...new Set(packages)]).toEqual(['require-api-key']);
  });

  it('minified and gzipped -> a guard under 10 kB, all of the root entry under 26 kB', async () => {
    const sizeOf = async (contents: string) => {
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: consumer('Express 5') },
        bundle: true,
        minify: true,
        format: 'esm',
        platform: 'node',
        external: ['node:*'],
        write: false,
      });
      return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
    };
    const everything = `export * from 'require-api-key'`;
    expect(await sizeOf(`export { requireApiKey, apiKeyOf } from 'require-api-key'`)).toBeLessThan(
      10_000,
    );
    expect(await sizeOf(everything)).toBeLessThan(26_000);
  });
});

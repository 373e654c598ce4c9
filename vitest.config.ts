import { readdirSync, readFileSync } from 'node:fs';
import { configDefaults, defineConfig, type ViteUserConfig } from 'vitest/config';

/** What starts whole processes or a browser takes longer than all the rest together. */
export const systemTests = [
  'test/{browser,cli,examples,package}/**/*.test.ts',
  'test/promises/{*across-processes,frozen,outage}.test.ts',
  'test/postgres/{pooler,standby}.test.ts',
  'test/sqlite/{bad-files,processes,promises}.test.ts',
  'test/web/claim-{crash,race}.test.ts',
  'test/security/{control-secrecy,secrecy}.test.ts',
  'test/fuzz/command-line.test.ts',
];

/**
 * Those that change the process, judge what is said once in it, or share a module with state: each
 * gets a process of its own. The others share one for each worker, because loading the source anew
 * would take half of the time.
 */
const ownProcessTests = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name.replaceAll('\\', '/')}`)
  .filter((path) =>
    /support\/(warnings|plaintext-table)|spyOn\(console|vi\.(doMock|mock)|stubEnv|resetModules|chdir/.test(
      readFileSync(path, 'utf8'),
    ),
  );

/**
 * Set by `npm run test:nodes`: Vitest resolves imports by itself, and knows nothing of Node's
 * hooks.
 */
const betterSqlite3 = process.env['BETTER_SQLITE3'];

export const options: ViteUserConfig['test'] = {
  ...(betterSqlite3 !== undefined && { alias: { 'better-sqlite3': betterSqlite3 } }),
  globalSetup: ['test/support/postgres-setup.ts'],
  // Real servers and processes: generous against noisy machines, short enough to name a hang.
  testTimeout: 20_000,
  hookTimeout: 60_000,
  reporters: ['default', ['json', { outputFile: 'coverage/tests.json' }]],
  coverage: { include: ['src/**'], reporter: ['text', 'lcov'] },
};

// vitest.system.config.ts has the tests of the system.
const exclude = [...configDefaults.exclude, ...systemTests];

export default defineConfig({
  test: {
    ...options,
    // Much of the time is spent waiting for servers: more workers than cores have work.
    maxWorkers: 4,
    projects: [
      {
        extends: true,
        test: {
          name: 'shared process',
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, ...ownProcessTests],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'own process', include: ownProcessTests, exclude } },
    ],
  },
});

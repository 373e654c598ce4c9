import { readdirSync, readFileSync } from 'node:fs';
import { configDefaults, defineConfig, type ViteUserConfig } from 'vitest/config';

/** What starts whole processes or a browser takes longer than all the rest together. */
export const systemTests = [
  'test/{browser,cli,examples,package}/**/*.test.ts',
  'test/promises/{*across-processes,frozen,outage}.test.ts',
  'test/docs/snippets.test.ts',
  'test/postgres/{full-queue,pooler,replicated-changes,resting,standby,two-versions,watch}.test.ts',
  'test/sqlite/{bad-files,processes,promises}.test.ts',
  'test/web/{claim-crash,claim-race,package}.test.ts',
  'test/security/{control,database}-secrecy.test.ts',
  'test/security/secrecy.test.ts',
  'test/fuzz/command-line.test.ts',
];

const allTests = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name.replaceAll('\\', '/')}`);

/** Those that change the process, judge what is said once in it, or share a module with state. */
const needsItsOwn = (path: string) =>
  /support\/(warnings|plaintext-table)|spyOn\(console|vi\.(doMock|mock)|stubEnv|resetModules/.test(
    readFileSync(path, 'utf8'),
  );

/**
 * Each file that needs it gets a thread of its own. The others share a process for each worker,
 * because loading the source anew would take half of the time.
 */
export const projects = (include: string[], exclude: string[] = []) => [
  {
    extends: true as const,
    test: {
      name: 'shared',
      include,
      exclude: [...configDefaults.exclude, ...exclude, ...allTests.filter(needsItsOwn)],
      isolate: false,
    },
  },
  {
    extends: true as const,
    test: {
      name: 'own',
      include,
      exclude: [
        ...configDefaults.exclude,
        ...exclude,
        ...allTests.filter((path) => !needsItsOwn(path)),
      ],
      pool: 'threads' as const,
    },
  },
];

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

export default defineConfig({
  test: {
    ...options,
    // Much of the time is spent waiting for servers: more workers than cores have work.
    maxWorkers: 4,
    // vitest.system.config.ts has the tests of the system.
    projects: projects(['test/**/*.test.ts'], systemTests),
  },
});

import { configDefaults, defineConfig } from 'vitest/config';

/** What starts whole processes or a browser takes longer than all the rest together. */
export const systemTests = [
  'test/{browser,cli,examples,package}/**/*.test.ts',
  'test/promises/{*across-processes,frozen,outage}.test.ts',
  'test/postgres/{pooler,standby}.test.ts',
  'test/sqlite/processes.test.ts',
  'test/web/claim-{crash,race}.test.ts',
  'test/security/secrecy.test.ts',
  'test/fuzz/command-line.test.ts',
];

/** Set by `npm run test:nodes`: Vitest resolves imports by itself, and knows nothing of Node's hooks. */
const betterSqlite3 = process.env['BETTER_SQLITE3'];

export default defineConfig({
  test: {
    ...(betterSqlite3 !== undefined && { alias: { 'better-sqlite3': betterSqlite3 } }),
    include: ['test/**/*.test.ts'],
    // vitest.system.config.ts has these.
    exclude: [...configDefaults.exclude, ...systemTests],
    globalSetup: ['test/support/postgres-setup.ts'],
    // Much of the time is spent waiting for servers: more workers than cores have work.
    maxWorkers: 4,
    // Real servers and processes: generous against noisy machines, short enough to name a hang.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    reporters: ['default', ['json', { outputFile: 'coverage/tests.json' }]],
    coverage: { include: ['src/**'], reporter: ['text', 'lcov'] },
  },
});

import { readdirSync, readFileSync } from 'node:fs';
import { configDefaults, defineConfig } from 'vitest/config';

/**
 * What starts processes, servers or a browser, or makes whole schemas again and again, takes longer
 * than all the rest together.
 */
const systemTests = [
  'test/{browser,cli,examples,package}/**/*.test.ts',
  'test/promises/{*across-processes,frozen,outage}.test.ts',
  'test/docs/snippets.test.ts',
  'test/postgres/{earlier-schemas,full-queue,moved-table,pooler,replicated-changes}.test.ts',
  'test/postgres/{resting,silent-changes,standby,two-versions,watch}.test.ts',
  'test/sqlite/{bad-files,changes-by-hand,processes,promises}.test.ts',
  'test/web/{claim-crash,claim-race,package}.test.ts',
  'test/security/{control,database}-secrecy.test.ts',
  'test/security/secrecy.test.ts',
  'test/fuzz/command-line.test.ts',
];

const allTests = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name.replaceAll('\\', '/')}`);

/** In files that change the process, judge what it says once, or share a module with state. */
const mark =
  /support\/(warnings|plaintext-table)|spyOn\(console|vi\.(doMock|mock)|stubEnv|resetModules/;
const isolated = allTests.filter((path) => mark.test(readFileSync(path, 'utf8')));
const sharing = allTests.filter((path) => !isolated.includes(path));

interface Kind {
  readonly name: string;
  readonly include: string[];
  readonly exclude: string[];
  readonly testTimeout: number;
  readonly hookTimeout: number;
  readonly maxWorkers: number;
  /** Those with another number of workers take turns. */
  readonly sequence: { readonly groupOrder: number };
}

/**
 * Each file that needs it gets a thread of its own. The others share a process for each worker,
 * because loading the source anew would take half of the time.
 */
const projects = ({ name, exclude, ...options }: Kind) => [
  {
    extends: true as const,
    test: {
      ...options,
      name,
      exclude: [...configDefaults.exclude, ...exclude, ...isolated],
      isolate: false,
    },
  },
  {
    extends: true as const,
    test: {
      ...options,
      name: `${name}-isolated`,
      exclude: [...configDefaults.exclude, ...exclude, ...sharing],
      pool: 'threads' as const,
    },
  },
];

/**
 * Set by `npm run test:nodes`: Vitest resolves imports by itself, and knows nothing of Node's
 * hooks.
 */
const betterSqlite3 = process.env['BETTER_SQLITE3'];

export default defineConfig({
  test: {
    ...(betterSqlite3 !== undefined && { alias: { 'better-sqlite3': betterSqlite3 } }),
    // Compiled sources are kept in node_modules for the next run, by their content.
    experimental: { fsModuleCache: true },
    globalSetup: ['test/support/postgres-setup.ts'],
    reporters: ['default', 'json'],
    // `npm run test:system` names another.
    outputFile: { json: 'coverage/tests.json' },
    coverage: { include: ['src/**'], reporter: ['text', 'lcov'] },
    projects: [
      ...projects({
        name: 'library',
        include: ['test/**/*.test.ts'],
        exclude: systemTests,
        // Real servers: generous against noisy machines, short enough to name a hang.
        testTimeout: 20_000,
        hookTimeout: 60_000,
        // Much of the time is spent waiting for servers: more workers than cores have work.
        maxWorkers: 4,
        sequence: { groupOrder: 0 },
      }),
      // The command line, the example and the recipes as whole programs, the pages in a real
      // browser, the packed package where others would install it, schemas of earlier versions.
      ...projects({
        name: 'system',
        include: systemTests,
        exclude: [],
        testTimeout: 90_000,
        hookTimeout: 120_000,
        // The processes that these tests start work as well.
        maxWorkers: 3,
        sequence: { groupOrder: 1 },
      }),
    ],
  },
});

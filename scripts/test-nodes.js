// Tries the packed package on every supported Node, from ES modules, CommonJS and Jest, and runs a
// share of the tests there, those of SQLite on every driver: `npm run test:nodes`. With
// TEST_NODES=running on the running Node alone.
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { installBetterSqlite3 } from './nodes/better-sqlite3.js';
import { combinations, installPackage } from './nodes/consumer.js';
import { installTool, nodes, root } from './nodes/matrix.js';

const vitest = (title, project, tests, env) => ({
  title,
  args: [
    join(root, 'node_modules/vitest/vitest.mjs'),
    // Only on the terminal: the numbers of `npm test` stay where they are.
    ...['run', '--project', project, '--reporter=dot', '--silent=true', ...tests],
  ],
  says: /^ +Tests +\d+ passed \(\d+\)$/m,
  env,
});

// What touches Node most: HTTP, crypto, timers, PostgreSQL's sockets, and node:sqlite. What is only
// JavaScript is not run again.
const suite = vitest('a share of the tests', 'library*', [
  ...['test/http', 'test/keys', 'test/contract', 'test/sqlite', 'test/security/bypasses'],
]);

/** The tests of SQLite, and with processes, which take too long to run everywhere. */
const sqliteSuites = (driver, env) => [
  vitest(
    `SQLite with ${driver}`,
    'library*',
    ['test/contract/sqlite-key-store.test.ts', 'test/sqlite'],
    env,
  ),
  vitest(`SQLite with ${driver}, processes`, 'system*', ['test/sqlite'], env),
];
const timeoutMs = 600_000;

let failures = 0;
const places = nodes();
// Side by side: the one compiles and waits for processes while the other computes.
await Promise.all([tryNodes(), tryDrivers()]);
console.log(failures === 0 ? 'All of it works on every Node.' : `${failures} failed.`);
process.exitCode = failures === 0 ? 0 : 1;

async function tryNodes() {
  const [jest, folder] = await Promise.all([installTool('jest'), installPackage()]);
  try {
    for (const { version, program, suite: hasSuite } of await places) {
      for (const combination of combinations(folder, jest))
        await check(version, program, folder, combination);
      if (hasSuite) await check(version, program, root, suite);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tryDrivers() {
  const { execPath, versions } = process;
  const betterSqlite3 = await installBetterSqlite3();
  for (const each of sqliteSuites('better-sqlite3', betterSqlite3(versions.node)))
    await check(versions.node, execPath, root, each);
  const later = (await places).find(({ version }) => version.startsWith('24.'));
  if (!later?.suite) return;
  for (const each of [
    sqliteSuites('better-sqlite3', betterSqlite3(later.version))[0],
    // The rest has been run there.
    sqliteSuites('node:sqlite')[1],
  ])
    await check(later.version, later.program, root, each);
}

async function check(version, program, cwd, { title, args, says, isQuiet = false, env }) {
  const startedAt = performance.now();
  const { error, stdout, stderr } = await run(program, args, cwd, env);
  const isGood = !error && (says.test(stdout) || says.test(stderr)) && (!isQuiet || stderr === '');
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5);
  const outcome = isGood ? 'ok    ' : 'FAILED';
  console.log(`Node ${version.padEnd(8)} ${outcome} ${seconds} s  ${title}`);
  if (isGood) return;
  failures++;
  const end = error && `It ended with ${error.code ?? error.signal ?? error.message}.`;
  console.log([stdout, stderr, end].filter(Boolean).join('\n'));
}

/** The program with its Node before any other on the path, for what it starts by name. */
function run(program, args, cwd, more) {
  const env = {
    ...process.env,
    ...more,
    PATH: `${dirname(program)}${delimiter}${process.env.PATH}`,
    NO_COLOR: '1',
    FORCE_COLOR: undefined,
  };
  const options = { cwd, env, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 2 ** 20 };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => resolve({ error, stdout, stderr }));
  });
}

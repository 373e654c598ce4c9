// Runs the tests of the PostgreSQL store on other servers than the one in node_modules: `npm run
// test:postgres` on each of tools/postgres-versions, `npm run test:postgres -- 13
// /usr/lib/postgresql/15/bin` on these: a version, or a folder of programs.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installTool, pinned, root } from './nodes/matrix.js';

// It fills the queue of notifications, which before this version always has room for 8 GB.
const [fullQueue, smallestQueueSince] = ['test/postgres/full-queue.test.ts', 17];
const contract = 'test/contract/postgres-key-store.test.ts';
const tests = readdirSync(join(root, 'test/postgres'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/postgres/${name}`);

// Only on the terminal: the numbers of `npm test` stay where they are.
const reporter = ['--reporter=dot', '--silent=true'];

const folder = join(root, 'tools/postgres-versions');
const versionsIn = (omitsDev) =>
  pinned(folder, omitsDev).map(({ name }) => name.replace('postgres-', ''));
const oldest = versionsIn(true);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : versionsIn(false);
if (wanted.some((each) => /^\d+$/.test(each)))
  await installTool(
    'postgres-versions',
    ...(wanted.every((each) => oldest.includes(each)) ? ['--omit=dev'] : []),
  );

for (const each of wanted) {
  const leaves = majorOf(each) < smallestQueueSince;
  const chosen = tests.filter((test) => !leaves || test !== fullQueue);
  const startedAt = performance.now();
  const env = { ...process.env, TEST_POSTGRES: each };
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), ...['run', ...reporter, ...chosen, contract]],
    { cwd: root, env, stdio: 'inherit' },
  );
  const isGood = status === 0;
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const without = leaves ? `, without ${fullQueue}` : '';
  console.log(`PostgreSQL ${each}: ${isGood ? 'ok' : 'FAILED'}, ${seconds} s${without}`);
  if (!isGood) process.exitCode = 1;
}

function majorOf(each) {
  if (/^\d+$/.test(each)) return Number(each);
  const said = execFileSync(join(each, 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/(\d+)/.exec(said)[1]);
}

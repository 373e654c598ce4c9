// One fresh process with two apps, served in turn by the hundred; what each costs is this process's
// CPU time.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../report/statistics.js';
import { apps } from './apps.js';
import { startClient } from './start-client.js';

const {
  names,
  clientCore,
  warmMs,
  measureMs,
  leastWindows,
  block = 100,
  ...context
} = JSON.parse(process.argv[2]);

/**
 * Garbage of a hundred requests is not collected every time: windows have to be long enough to
 * share it out.
 */
const blocksPerWindow = 10;
/** However slow the machine is: longer than this, something is wrong. */
const longestMs = 300_000;

const spentUs = names.map(() => []);
// The client's first request, by which it learns how long an answer is, comes before all blocks.
const handled = names.map(() => -1);
let current = 0;
let mark;
let measuringSince;

/**
 * Called at the first request of each block: what was spent since the last call belongs to the app
 * before.
 */
function switchTo(index) {
  if (measuringSince !== undefined) {
    const { user, system } = process.cpuUsage(mark);
    spentUs[current].push(user + system);
    if (isEnough()) return end();
  }
  mark = process.cpuUsage();
  current = index;
}

// Far too many for a command line.
const folder = mkdtempSync(join(tmpdir(), 'bench-headers-'));
process.once('exit', () => rmSync(folder, { recursive: true }));

const servers = [];
for (const [index, name] of names.entries()) {
  const { app, headers, status } = await apps[name](context);
  const server = createServer((req, res) => {
    if (handled[index]++ % block === 0) switchTo(index);
    app(req, res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const file = join(folder, String(index));
  writeFileSync(file, headers.join(''));
  servers.push({ port: server.address().port, file, headerLength: headers[0].length, status });
}

const client = startClient('pipelined-client.js', { servers, block }, clientCore);
client.once('exit', (code) => {
  throw new Error(`the client ended with ${code}: ${names.join(', ')}`);
});
setTimeout(() => {
  mark = process.cpuUsage();
  measuringSince = performance.now();
}, warmMs);
setTimeout(() => {
  throw new Error(`too few requests in ${longestMs} ms: ${names.join(', ')}`);
}, longestMs);

// The block that was under way when measuring began is nobody's.
const windowsOf = (list) => inWindows(list.slice(1));

function isEnough() {
  const blocks = leastWindows * blocksPerWindow + 1;
  return (
    performance.now() - measuringSince >= measureMs &&
    spentUs.every((list) => list.length >= blocks)
  );
}

function end() {
  client.removeAllListeners('exit').kill();
  const [first, second] = spentUs.map(windowsOf);
  const ratios = second.slice(0, first.length).map((spent, at) => spent / first[at]);
  const perRequestUs = [first, second].map(
    (windows) => median(windows) / (block * blocksPerWindow),
  );
  process.send({ ratio: median(ratios), perRequestUs, windows: ratios.length }, () =>
    process.exit(),
  );
}

function inWindows(list) {
  const windows = [];
  for (let start = 0; start + blocksPerWindow <= list.length; start += blocksPerWindow) {
    windows.push(list.slice(start, start + blocksPerWindow).reduce((sum, spent) => sum + spent, 0));
  }
  return windows;
}

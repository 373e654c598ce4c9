// One fresh process with two apps, served in turn by the hundred; what each costs is this process's CPU time.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { median } from '../report/statistics.js';
import { startClient } from './start-client.js';
import { apps } from './apps.js';

const { names, clientCore, warmMs, measureMs, block = 100 } = JSON.parse(process.argv[2]);

/** Garbage of a hundred requests is not collected every time: windows have to be long enough to share it out. */
const blocksPerWindow = 10;

const spentUs = names.map(() => []);
// The client's first request, by which it learns how long an answer is, comes before all blocks.
const handled = names.map(() => -1);
let current = 0;
let mark;
let isMeasuring = false;

/** Called at the first request of each block: what was spent since the last call belongs to the app before. */
function switchTo(index) {
  if (isMeasuring) {
    const { user, system } = process.cpuUsage(mark);
    spentUs[current].push(user + system);
  }
  mark = process.cpuUsage();
  current = index;
}

const servers = [];
for (const [index, name] of names.entries()) {
  const { app, headers, status } = await apps[name]();
  const server = createServer((req, res) => {
    if (handled[index]++ % block === 0) switchTo(index);
    app(req, res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push({ port: server.address().port, headers, status });
}

const client = startClient('pipelined-client.js', { servers, block }, clientCore);
setTimeout(() => {
  isMeasuring = true;
  // The block that is under way is nobody's.
  spentUs.forEach((list) => (list.length = 0));
  mark = process.cpuUsage();
}, warmMs);
setTimeout(() => {
  client.kill();
  const [first, second] = spentUs.map((list) => inWindows(list.slice(2)));
  const ratios = second.slice(0, first.length).map((spent, at) => spent / first[at]);
  const perRequestUs = [first, second].map(
    (windows) => median(windows) / (block * blocksPerWindow),
  );
  process.send({ ratio: median(ratios), perRequestUs, windows: ratios.length }, () =>
    process.exit(),
  );
}, warmMs + measureMs);

function inWindows(list) {
  const windows = [];
  for (let start = 0; start + blocksPerWindow <= list.length; start += blocksPerWindow) {
    windows.push(list.slice(start, start + blocksPerWindow).reduce((sum, spent) => sum + spent, 0));
  }
  return windows;
}

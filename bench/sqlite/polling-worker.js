// One process: its CPU time while it rests, with a manager on a file, with a bare timer that runs
// as often as a poll and with neither, in turn; and what a poll takes while the process works.
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { ApiKeyManager, SqliteKeyStore } from '../library.js';
import { pollMs } from '../growth/stores.js';
import { median } from '../report/statistics.js';

const { sqlitePath, key, turns, durationMs } = JSON.parse(process.argv[2]);

async function withManager(use) {
  const store = await SqliteKeyStore.open(sqlitePath);
  const manager = new ApiKeyManager({ store });
  if (!(await manager.verify(key)).ok) throw new Error('the key is in the file');
  const found = await use(manager, store);
  await manager.close();
  await store.close();
  return found;
}

/** After how long the watch of a file rests for certain, in milliseconds. */
const restMs = 5_000;

/** The share of a core that is spent while the process is left alone. */
async function restingShare() {
  await delay(restMs);
  const before = { cpu: process.cpuUsage(), at: performance.now() };
  await delay(durationMs);
  const { user, system } = process.cpuUsage(before.cpu);
  return (user + system) / 1_000 / (performance.now() - before.at);
}

async function shareWithTimer() {
  const timer = setInterval(() => {}, pollMs);
  const share = await restingShare();
  clearInterval(timer);
  return share;
}

/** The share of a core that polls take in a process that verifies keys all the time. */
async function workingShare(manager, store) {
  const nothing = () => {};
  const watch = store.watch({
    connected: nothing,
    disconnected: nothing,
    changed: nothing,
    alive: nothing,
  });
  await watch.check();
  const tookMs = [];
  const endAt = performance.now() + durationMs / 2;
  while (performance.now() < endAt) {
    for (let asked = 0; asked < 1_000; asked++) await manager.verify(key);
    await turn();
    const before = performance.now();
    await watch.check();
    tookMs.push(performance.now() - before);
  }
  await watch.close();
  return median(tookMs) / pollMs;
}

const found = [];
for (let round = 0; round < turns; round++) {
  found.push({
    usual: await withManager(restingShare),
    timer: await shareWithTimer(),
    none: await restingShare(),
    working: await withManager(workingShare),
  });
}
process.send(found);
process.disconnect();

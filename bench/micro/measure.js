import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { median } from '../report/statistics.js';

/**
 * Requests made ahead and then handled in one go: few enough to be still young when the collector
 * comes, as on a server.
 */
const maxChunk = 128;
const chunkMs = 0.5;
/** How many chunks of a batch may be left out. */
const mostUncounted = 500;

/**
 * Runs the subjects in turn, in another order each round, and returns for each what one operation
 * took in each round. A subject is `{ name, prepare(), run(inputs), check?(inputs) }`: what
 * `prepare` makes is made outside the measured time, and `check` throws there if `run` did not do
 * what it should, or returns false if that chunk must not count.
 *
 * @returns {Promise<Record<string, { wallNs: number[], cpuNs: number[] }>>}
 */
export async function measure(subjects, { warmMs, rounds, batchMs = 10 }) {
  const runners = subjects.map((subject) => ({ subject, chunk: 1, wallNs: [], cpuNs: [] }));
  for (const runner of runners) await calibrate(runner);
  const warmUntil = performance.now() + warmMs * subjects.length;
  while (performance.now() < warmUntil) {
    for (const runner of shuffled(runners)) await runBatch(runner, batchMs);
  }
  for (let round = 0; round < rounds; round++) {
    for (const runner of shuffled(runners)) {
      const { wallNs, cpuNs } = await runBatch(runner, batchMs);
      runner.wallNs.push(wallNs);
      runner.cpuNs.push(cpuNs);
    }
  }
  return Object.fromEntries(
    runners.map(({ subject, wallNs, cpuNs }) => [subject.name, { wallNs, cpuNs }]),
  );
}

async function calibrate(runner) {
  // Cold code would look so slow that it got chunks of one, which no clock can time.
  await runBatch(runner, 50);
  while (runner.chunk < maxChunk) {
    const { wallNs } = await runBatch(runner, 5);
    if (wallNs * runner.chunk * 2 > chunkMs * 1e6) return;
    runner.chunk *= 2;
  }
}

async function runBatch({ subject, chunk }, batchMs) {
  // Managers keep timers, by which they know that they have missed no change.
  await turn();
  const wallNs = [];
  const cpuNs = [];
  let spentMs = 0;
  let uncounted = 0;
  while (spentMs < batchMs) {
    const inputs = Array.from({ length: chunk }, subject.prepare);
    const cpuBefore = process.cpuUsage();
    const before = performance.now();
    // No promise, and no turn of the event loop, on behalf of a subject that needs none.
    const pending = subject.run(inputs);
    if (pending) await pending;
    const tookMs = performance.now() - before;
    const { user, system } = process.cpuUsage(cpuBefore);
    spentMs += tookMs;
    if (subject.check?.(inputs) === false) {
      if (++uncounted > mostUncounted) throw new Error(`${subject.name}: does not do its work`);
      await delay(10);
      spentMs = 0;
      continue;
    }
    wallNs.push((tookMs * 1e6) / chunk);
    cpuNs.push(((user + system) * 1e3) / chunk);
  }
  // The median leaves out the chunks in which the collector cleared up after everybody, or another
  // process took the core.
  return { wallNs: median(wallNs), cpuNs: median(cpuNs) };
}

function shuffled(items) {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

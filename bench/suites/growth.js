import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pollMs } from '../growth/stores.js';
import { startServers } from '../http/race.js';
import { quantile } from '../report/statistics.js';
import { runOnce, shuffled, spreadOf } from './processes.js';

const folder = join(import.meta.dirname, '..');
const flags = ['--expose-gc', '--max-old-space-size=4000'];

/** What each further key costs in memory, and what a flood of made-up ones takes. */
export async function measureMemory({ keys, flood }, place) {
  const run = (what, count) =>
    runOnce('growth/memory-worker.js', { what, count }, { ...place, flags });
  return {
    keys,
    environment: (await run('environment', keys)).bytesPerKey,
    managed: (await run('managed', keys)).bytesPerKey,
    flood: { sent: flood, ...(await run('flood', flood)) },
  };
}

/**
 * How long a fresh process takes to import the package and make a guard, against importing Express.
 */
export async function measureStart({ rounds }, place) {
  const express = pathToFileURL(createRequire(import.meta.url).resolve('express')).href;
  const library = pathToFileURL(join(folder, 'dist/package/index.js')).href;
  const starts = {
    library: { module: library, makesGuard: true },
    express: { module: express, makesGuard: false },
  };
  const found = [];
  // What comes first reads the files from the disk.
  for (let round = -1; round < rounds; round++) {
    const took = {};
    for (const name of shuffled(Object.keys(starts)))
      took[name] = (await runOnce('growth/start-worker.js', starts[name], place)).tookMs;
    if (round >= 0) found.push(took);
  }
  return {
    libraryMs: spreadOf(found.map(({ library: ms }) => ms)),
    expressMs: spreadOf(found.map(({ express: ms }) => ms)),
    againstExpress: spreadOf(found.map((took) => took.library / took.express)),
  };
}

/**
 * From the call of `revoke` to the first refusal in another process; on PostgreSQL beside a bare
 * NOTIFY between the same two.
 */
export async function measureRevocation({ url, sqlitePath }, counts, { node }) {
  const summary = (values) => ({ p50Ms: quantile(values, 0.5), p99Ms: quantile(values, 0.99) });
  const found = {};
  for (const [kind, count] of Object.entries(counts)) {
    const options = { kind, url, sqlitePath, count, channel: 'bench_round_trip' };
    // Two processes, each where it finds room.
    const { revocations, notifications, calls } = await runOnce(
      'growth/revocation-worker.js',
      options,
      { node },
    );
    found[kind] = {
      count,
      revocation: summary(revocations),
      revokeCall: summary(calls),
      ...(kind === 'postgres' ? { notification: summary(notifications) } : { pollMs }),
    };
  }
  return found;
}

/**
 * What the holders of good keys keep while somebody presents keys of the right form that do not
 * exist.
 */
export async function measureFlood(
  database,
  { rounds, durationMs, connections, floodConnections },
  place,
) {
  const name = 'managed, warm';
  const module = new URL('../postgres/apps.js', import.meta.url).href;
  const race = await startServers([{ name, module, context: database }], place);
  const { port } = race.address(name);
  try {
    await race.send(name, { connections, durationMs });
    const quiet = [];
    const flooded = [];
    const floods = [];
    for (let round = 0; round < rounds; round++) {
      quiet.push(await race.send(name, { connections, durationMs }));
      const flood = spawn(
        place.node,
        [
          join(folder, 'growth/flood-client.js'),
          JSON.stringify({ port, connections: floodConnections, durationMs }),
        ],
        { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
      );
      const ended = once(flood, 'message');
      flooded.push(await race.send(name, { connections, durationMs }));
      floods.push((await ended)[0]);
      flood.kill();
    }
    return {
      quietPerSecond: spreadOf(quiet.map((turn) => turn.perSecond)),
      floodedPerSecond: spreadOf(flooded.map((turn) => turn.perSecond)),
      kept: spreadOf(flooded.map((turn, at) => turn.perSecond / quiet[at].perSecond)),
      floodPerSecond: spreadOf(floods.map(({ perSecond }) => perSecond)),
      quietP99Ms: spreadOf(quiet.map((turn) => turn.p99Ms)),
      floodedP99Ms: spreadOf(flooded.map((turn) => turn.p99Ms)),
    };
  } finally {
    await race.stop();
  }
}

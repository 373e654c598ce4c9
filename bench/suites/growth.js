import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { startServers } from '../http/race.js';
import { ApiKeyManager, PostgresKeyStore } from '../library.js';
import { quantile } from '../report/statistics.js';
import { runOnce, spreadOf } from './processes.js';

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

/** How long a fresh process takes to import the library and make a guard; Express beside it, for scale. */
export async function measureStart({ processes }, place) {
  const run = async (module, makesGuard) => {
    const times = [];
    for (let count = 0; count < processes; count++) {
      times.push((await runOnce('growth/start-worker.js', { module, makesGuard }, place)).tookMs);
    }
    return spreadOf(times);
  };
  const express = pathToFileURL(createRequire(import.meta.url).resolve('express')).href;
  return {
    libraryMs: await run(pathToFileURL(join(folder, 'dist/index.js')).href, true),
    expressMs: await run(express, false),
  };
}

const channel = 'bench_round_trip';

/** From the call of `revoke` to the first refusal in another process, beside a bare NOTIFY between the same two. */
export async function measureRevocation({ url }, { count }, { node }) {
  const client = new pg.Pool({ connectionString: url });
  const manager = new ApiKeyManager({ store: new PostgresKeyStore({ client }) });
  const other = spawn(
    node,
    [join(folder, 'growth/refusal-worker.js'), JSON.stringify({ url, channel })],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  const heard = async () => (await once(other, 'message'))[0];
  const sinceMs = ({ at }, before) => Number(BigInt(at) - before) / 1e6;
  await heard();
  const revocations = [];
  const notifications = [];
  const calls = [];
  try {
    for (let done = 0; done < count; done++) {
      const { key, record } = await manager.create({ user: 'alice' });
      const known = heard();
      other.send({ key });
      await known;
      const refused = heard();
      const revokedAt = process.hrtime.bigint();
      await manager.revoke(record.keyId);
      calls.push(sinceMs({ at: process.hrtime.bigint() }, revokedAt));
      revocations.push(sinceMs(await refused, revokedAt));

      const notified = heard();
      const sentAt = process.hrtime.bigint();
      await client.query(`select pg_notify($1, '')`, [channel]);
      notifications.push(sinceMs(await notified, sentAt));
    }
  } finally {
    other.kill();
    await manager.close();
    await client.end();
  }
  const summary = (values) => ({ p50Ms: quantile(values, 0.5), p99Ms: quantile(values, 0.99) });
  return {
    count,
    revocation: summary(revocations),
    notification: summary(notifications),
    revokeCall: summary(calls),
  };
}

/** What the holders of good keys keep while somebody presents keys of the right form that do not exist. */
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

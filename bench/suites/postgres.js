import { startServers } from '../http/race.js';
import { shuffled, spreadOf } from './processes.js';

const naive = 'naive: connect, select, update, close';
const warm = 'managed, warm';
const betterAuth = 'better-auth';
const names = [
  'bare',
  warm,
  'managed, cold',
  'managed, made up',
  'managed in SQLite, warm',
  'managed in SQLite, cold',
  'pooled: select',
  'pooled: select, update',
  naive,
  betterAuth,
];

const module = new URL('../postgres/apps.js', import.meta.url).href;

/** Throughput, latency, queries and written bytes of each way to check a key in PostgreSQL. */
export async function measurePostgres(database, options, place, countsLog) {
  const turns = await takeTurns(database, options, place);
  const written = countsLog ? await measureWritten(database, options, place) : undefined;
  return names.map((name) => {
    const own = turns.map((turn) => turn[name]);
    const against = (other, field) =>
      spreadOf(turns.map((turn) => turn[name][field] / turn[other][field]));
    const spread = (field) => spreadOf(own.map((turn) => turn[field]));
    return {
      name,
      perSecond: spread('perSecond'),
      p50Ms: spread('p50Ms'),
      p99Ms: spread('p99Ms'),
      cpuUsPerRequest: spread('cpuUsPerRequest'),
      queriesPerRequest: spread('queriesPerRequest'),
      shareOfBare: against('bare', 'perSecond'),
      againstNaive: against(naive, 'perSecond'),
      againstBetterAuth: against(betterAuth, 'perSecond'),
      cpuAgainstWarm: against(warm, 'cpuUsPerRequest'),
      walBytesPerThousand: written?.[name],
    };
  });
}

async function takeTurns(
  { url, sqlitePath, keys, betterAuthKeys },
  { rounds, durationMs, warmMs, connections },
  place,
) {
  const context = { url, sqlitePath, keys, betterAuthKeys };
  const race = await startServers(
    names.map((name) => ({ name, module, context })),
    place,
  );
  try {
    for (const name of names) await race.send(name, { connections, durationMs: warmMs });
    const turns = [];
    for (let round = 0; round < rounds; round++) {
      const turn = {};
      for (const name of shuffled(names))
        turn[name] = await race.send(name, { connections, durationMs });
      turns.push(turn);
    }
    return turns;
  } finally {
    await race.stop();
  }
}

/**
 * Bytes of write-ahead log for a thousand requests: so many requests by few keys, soon after each
 * other.
 */
async function measureWritten(database, { logged, loggedKeys, connections }, place) {
  const { url, sqlitePath, keys, betterAuthKeys } = database;
  const context = {
    url,
    sqlitePath,
    keys: keys.slice(0, loggedKeys),
    betterAuthKeys: betterAuthKeys.slice(0, loggedKeys),
  };
  const written = {};
  for (const name of names.filter((each) => !each.includes('SQLite'))) {
    const race = await startServers([{ name, module, context }], place);
    try {
      const before = await database.walBytes();
      await race.send(name, { connections, requests: logged });
      // With what is written later on behalf of these requests: the manager writes last uses in
      // batches.
      await race.flush(name);
      written[name] = ((await database.walBytes(before)) / logged) * 1_000;
    } finally {
      await race.stop();
    }
  }
  return written;
}

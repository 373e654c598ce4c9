// One process: keys that it has not met, so many under way at a time, beside one pooled `select` a
// key.
import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import { ApiKeyManager, generateApiKey, PostgresKeyStore, SqliteKeyStore } from '../library.js';
import { shuffled } from '../suites/processes.js';

const { url, sqlitePath, keys, underWay, rounds, durationMs } = JSON.parse(process.argv[2]);

/** However slow the machine is: no figure is of look-ups that were given up. */
const queryTimeoutMs = 30_000;

let sent = 0;
class CountingClient extends pg.Client {
  query(...args) {
    sent++;
    return super.query(...args);
  }
}
const openPool = () => new pg.Pool({ connectionString: url, max: 10, Client: CountingClient });

const pools = { ours: openPool(), plain: openPool() };
// Whatever key comes, the one before has pushed it out.
const managerOf = (store) => new ApiKeyManager({ store, maxCachedKeys: 1 });
const manager = managerOf(new PostgresKeyStore({ client: pools.ours, queryTimeoutMs }));
const inSqlite = managerOf(await SqliteKeyStore.open(sqlitePath));
const madeUp = Array.from({ length: 5_000 }, () => generateApiKey().key);
let asked = 0;
const verify = async (who, from, isKnown) => {
  const { ok } = await who.verify(from[asked++ % from.length]);
  if (ok !== isKnown) throw new Error(`a key was ${ok ? '' : 'not '}admitted`);
};
const subjects = {
  'a key in the table': () => verify(manager, keys, true),
  'a made-up key': () => verify(manager, madeUp, false),
  'pooled select': () =>
    pools.plain.query('select user_name from plain_keys where api_key = $1 and is_active', [
      keys[asked++ % keys.length],
    ]),
};
/**
 * Answers come at once, so more than one are never under way; the timers have to get their turn.
 */
const alone = {
  'a key in a SQLite file': async () => {
    if (asked % 50 === 0) await turn();
    await verify(inSqlite, keys, true);
  },
};

async function measure(work, count, ms) {
  const times = [];
  const before = { sent, cpu: process.cpuUsage(), at: performance.now() };
  const endAt = before.at + ms;
  const goOn = async () => {
    while (performance.now() < endAt) {
      const startedAt = performance.now();
      await work();
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: count }, goOn));
  const { user, system } = process.cpuUsage(before.cpu);
  return {
    perSecond: (times.length / (performance.now() - before.at)) * 1_000,
    cpuUs: (user + system) / times.length,
    statements: (sent - before.sent) / times.length,
    p50Ms: times.toSorted((a, b) => a - b)[times.length >> 1],
  };
}

/** The application's own queries, one after the other on the pool that the store uses. */
const ownQueries = () => measure(() => pools.ours.query('select 1'), 1, durationMs);

async function measureOwnQueries() {
  const quiet = await ownQueries();
  const [flooded] = await Promise.all([
    ownQueries(),
    measure(subjects['a made-up key'], underWay.at(-1), durationMs),
  ]);
  return { quiet, flooded };
}

for (const work of Object.values({ ...subjects, ...alone })) await measure(work, 16, durationMs);
const found = [];
for (let round = 0; round < rounds; round++) {
  for (const count of underWay) {
    const contestants = count === 1 ? { ...subjects, ...alone } : subjects;
    const results = {};
    for (const name of shuffled(Object.keys(contestants)))
      results[name] = await measure(contestants[name], count, durationMs);
    found.push({ count, results });
  }
}
const own = [];
for (let round = 0; round < rounds; round++) own.push(await measureOwnQueries());
await manager.close();
await inSqlite.close();
for (const pool of Object.values(pools)) await pool.end();
process.send({ found, own });
process.disconnect();

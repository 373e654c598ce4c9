import { median } from '../report/statistics.js';
import { runOnce, spreadOf } from './processes.js';

/** The guard on warm keys: a manager on a SQLite file beside one on PostgreSQL, without sockets. */
export async function measureWarmStores(database, { processes, size, warmMs, rounds }, place) {
  const { url, sqlitePath } = database;
  const keys = database.keys.slice(0, size);
  const runs = [];
  for (let count = 0; count < processes; count++) {
    const options = { url, sqlitePath, keys, warmMs, rounds };
    const flags = ['--min-semi-space-size=16'];
    runs.push(await runOnce('sqlite/warm-worker.js', options, { ...place, flags }));
  }
  const wallNs = (name) => spreadOf(runs.map((run) => median(run[name].wallNs)));
  return {
    postgresNs: wallNs('PostgreSQL'),
    sqliteNs: wallNs('SQLite'),
    sqliteAgainstPostgres: spreadOf(
      runs.map((run) => median(run.SQLite.wallNs.map((ns, at) => ns / run.PostgreSQL.wallNs[at]))),
    ),
  };
}

/** What watching a file takes of a core in a process that works, and in one that rests. */
export async function measurePolling({ sqlitePath, keys }, { turns, durationMs }, place) {
  const options = { sqlitePath, key: keys[0], turns, durationMs };
  const found = await runOnce('sqlite/polling-worker.js', options, place);
  return {
    working: spreadOf(found.map(({ working }) => working)),
    resting: spreadOf(found.map(({ usual, none }) => usual - none)),
    timer: spreadOf(found.map(({ timer, none }) => timer - none)),
  };
}

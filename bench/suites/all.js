import { startDatabases } from '../postgres/database.js';
import { measureCold } from './cold.js';
import { measureFlood, measureMemory, measureRevocation, measureStart } from './growth.js';
import { measureGuard } from './guard.js';
import { measureHttp } from './http.js';
import { measurePeers } from './peers.js';
import { measurePostgres } from './postgres.js';
import { measurePolling, measureWarmStores } from './sqlite.js';

/** CPU time in one process each: two may run side by side, one on each core. */
const alone = {
  guard: measureGuard,
  peers: measurePeers,
  http: measureHttp,
  start: async ({ memory, start }, place) => ({
    memory: await measureMemory(memory, place),
    start: await measureStart(start, place),
  }),
};

/** What needs the databases, and both cores. */
const onDatabases = {
  // What few rows cost, and what is written, differs by the server and not by the Node that asks
  // it: once is enough.
  postgres: async ({ turns }, { few, many }, place) => {
    const found = [];
    for (const database of place.isJudged ? [few, many] : [many]) {
      const contestants = await measurePostgres(database, turns, place, place.isJudged);
      found.push({ rows: database.rows, contestants });
    }
    return found;
  },
  cold: (settings, { many }, place) => measureCold(many, settings, place),
  warm: (settings, { few }, place) => measureWarmStores(few, settings, place),
  growth: async ({ revocation, flood }, { few }, place) => ({
    revocation: await measureRevocation(few, revocation, place),
    flood: await measureFlood(few, flood, place),
  }),
};

const withDatabases = [...Object.keys(onDatabases), 'polling'];

export const allParts = [...Object.keys(alone), ...withDatabases];

/**
 * Runs these parts on each Node and puts what they find into `measured`, by part and Node version.
 */
export async function measureParts(measured, parts, places, progress, save) {
  const keep = (part, { version }, found) => {
    measured[part] = { ...measured[part], [version]: found };
    save();
    progress(`done: ${part}, Node ${version}`);
  };

  await Promise.all(
    lanesOf(places).map(async (lane) => {
      for (const place of lane) {
        // The client of a pair is so light that it may share its server's core.
        const own = { ...place, clientCore: place.core };
        for (const [part, measure] of Object.entries(alone)) {
          if (parts.has(part))
            keep(part, place, await measure(place.settings[part], own, progress));
        }
      }
    }),
  );
  if (!withDatabases.some((part) => parts.has(part))) return;

  const databases = await startDatabases();
  try {
    measured.postgresSettings = await databases.settings();
    const [few, many] = await createAll(databases, places[0].settings.postgres.rows, progress);
    for (const place of places) {
      for (const [part, measure] of Object.entries(onDatabases)) {
        if (parts.has(part))
          keep(part, place, await measure(place.settings[part], { few, many }, place));
      }
    }
    if (parts.has('polling')) {
      // Processes that all but sleep: all at once, with nothing beside them.
      await Promise.all(
        places.map(async (place) =>
          keep('polling', place, await measurePolling(few, place.settings.polling, place)),
        ),
      );
    }
  } finally {
    await databases.stop();
  }
}

/** What one core measures, in turn; the judged Node has one of its own. */
function lanesOf(places) {
  const cores = new Set(places.map(({ core }) => core));
  return [...cores].map((core) => places.filter((place) => place.core === core));
}

async function createAll(databases, sizes, progress) {
  const all = [];
  for (const rows of sizes) {
    all.push({ rows, ...(await databases.create(rows)) });
    progress(`filled: ${rows} rows`);
  }
  return all;
}

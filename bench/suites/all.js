import { startDatabases } from '../postgres/database.js';
import { measureCold } from './cold.js';
import { measureFlood, measureMemory, measureRevocation, measureStart } from './growth.js';
import { measureGuard } from './guard.js';
import { measureHttp } from './http.js';
import { measurePeers } from './peers.js';
import { measurePostgres } from './postgres.js';

/** Runs these parts on each Node and puts what they find into `measured`, by part and Node version. */
export async function measureParts(measured, parts, places, settings, progress, save) {
  const keep = (part, version, found) => {
    measured[part] = { ...measured[part], [version]: found };
    save();
    progress(`done: ${part}, Node ${version}`);
  };

  // CPU time in one process each: two may run side by side, one on each core.
  const alone = { guard: measureGuard, peers: measurePeers, http: measureHttp };
  await Promise.all(
    places.map(async (place) => {
      // The client of a pair is so light that it may share its server's core.
      const own = { ...place, clientCore: place.core };
      for (const [part, measure] of Object.entries(alone)) {
        if (parts.has(part))
          keep(part, place.version, await measure(settings[part], own, progress));
      }
    }),
  );
  if (!['postgres', 'cold', 'growth'].some((part) => parts.has(part))) return;

  const databases = await startDatabases();
  try {
    measured.postgresSettings = await databases.settings();
    const [few, many] = await createAll(databases, settings.postgres.rows, progress);
    for (const [index, place] of places.entries()) {
      const { version } = place;
      if (parts.has('postgres')) {
        const found = [];
        // What few rows cost, and what many, differs by the server and not by the Node that asks it: once is enough.
        for (const database of index === 0 ? [few, many] : [many]) {
          const contestants = await measurePostgres(database, settings.postgres.turns, place);
          found.push({ rows: database.rows, contestants });
        }
        keep('postgres', version, found);
      }
      if (parts.has('cold')) keep('cold', version, await measureCold(many, settings.cold, place));
      if (parts.has('growth')) {
        const { memory, start, revocation, flood } = settings.growth;
        keep('growth', version, {
          memory: await measureMemory(memory, place),
          start: await measureStart(start, place),
          revocation: await measureRevocation(few, revocation, place),
          flood: await measureFlood(few, flood, place),
        });
      }
    }
  } finally {
    await databases.stop();
  }
}

async function createAll(databases, sizes, progress) {
  const all = [];
  for (const rows of sizes) {
    all.push({ rows, ...(await databases.create(rows)) });
    progress(`filled: ${rows} rows`);
  }
  return all;
}

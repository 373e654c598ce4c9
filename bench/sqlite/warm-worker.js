// One process: the guard on keys that it knows, of a manager on PostgreSQL and one on a SQLite
// file.
import pg from 'pg';
import { ApiKeyManager, PostgresKeyStore, requireApiKey, SqliteKeyStore } from '../library.js';
import { measure } from '../micro/measure.js';
import { requestMaker } from '../micro/requests.js';

const { url, sqlitePath, keys, ...options } = JSON.parse(process.argv[2]);

const client = new pg.Pool({ connectionString: url });
const stores = {
  PostgreSQL: new PostgresKeyStore({ client }),
  SQLite: await SqliteKeyStore.open(sqlitePath),
};
/** A guard on keys that it has met. */
async function warmSubject(name, store) {
  const manager = new ApiKeyManager({ store });
  for (const key of keys) await manager.verify(key);
  const guard = requireApiKey({ source: manager });
  let passed;
  return {
    name,
    prepare: requestMaker(keys),
    run(inputs) {
      passed = 0;
      for (const { req, res } of inputs) guard(req, res, () => passed++);
    },
    // A process that got no turn for a second asks the store before it trusts what it knows.
    check: (inputs) => passed === inputs.length,
  };
}

const subjects = [];
for (const [name, store] of Object.entries(stores)) subjects.push(await warmSubject(name, store));
process.send(await measure(subjects, options), () => process.exit());

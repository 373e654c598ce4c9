/*
 * Managed keys beside Drizzle: one pool for both, and the tables of keys in a schema of their own.
 *
 *   const pool = new Pool({ connectionString: process.env['DATABASE_URL'] });
 *   const database = openDatabase(pool);
 *   app.get('/version', requireApiKey({ source: database.keys }), async (_req, res) => {
 *     res.json((await database.db.execute('select version()')).rows);
 *   });
 *
 * Create the tables once: `npx require-api-key migrate --schema api_access`. Give `--schema` to
 * every other command too. drizzle-kit reads the schema `public` alone and never sees them there.
 */
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { Pool } from 'pg';
import { ApiKeyManager } from 'require-api-key';
import { PostgresKeyStore } from 'require-api-key/postgres';

export interface OpenDatabase {
  db: NodePgDatabase;
  keys: ApiKeyManager;
  /** For `store.migrate()`, if you do not use the command line. */
  store: PostgresKeyStore;
}

export function openDatabase(pool: Pool): OpenDatabase {
  const store = new PostgresKeyStore({ client: pool, schema: 'api_access' });
  return { db: drizzle({ client: pool }), keys: new ApiKeyManager({ store }), store };
}

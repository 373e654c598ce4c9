import { join } from 'node:path';
import pg from 'pg';
import { ApiKeyManager } from 'require-api-key';
import { PostgresKeyStore } from 'require-api-key/postgres';
import { FOLDER, LAST_USED_INTERVAL_MS, type KeyPlace } from './key-place.js';

/** How long a start waits for the database. */
const CONNECT_MS = 5_000;

/** Opens the database and brings its tables up to date, which the middleware itself never does. */
export async function keysInPostgres(databaseUrl: string): Promise<KeyPlace> {
  const pool = new pg.Pool({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_MS });
  const store = new PostgresKeyStore({ client: pool });
  await store.migrate().catch((error: unknown) => {
    throw new Error(`the database in DATABASE_URL cannot be ${whyNot(error)}.`, { cause: error });
  });
  const keys = new ApiKeyManager({ store, lastUsedIntervalMs: LAST_USED_INTERVAL_MS });
  return {
    keys,
    name: 'PostgreSQL, the database in DATABASE_URL',
    keyFolder: join(FOLDER, 'postgres'),
    cliOptions: '',
    async close() {
      await keys.close();
      await pool.end();
    },
  };
}

function whyNot(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; severity?: string } };
  // Unless the server answered, only the code is safe to show: the rest may hold part of the URL.
  return cause?.code !== undefined && cause.severity === undefined
    ? `reached (${cause.code})`
    : `used: ${message.replace(/^PostgresKeyStore: (\w+ failed: )?/, '')}`;
}

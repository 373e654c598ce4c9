import pg from 'pg';
import { ApiKeyManager } from 'require-api-key';
import { PostgresKeyStore } from 'require-api-key/postgres';
import { UPLOAD_SCOPE } from './app.js';
import { ENV_FILE, ensureInternalKey } from './first-run.js';
import type { KeyPlace } from './key-place.js';

/** How long a start waits for the database. */
const CONNECT_MS = 5_000;

/** Opens the database and brings its tables up to date, which the middleware itself never does. */
export async function keysInPostgres(databaseUrl: string): Promise<KeyPlace> {
  const pool = new pg.Pool({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_MS });
  const store = new PostgresKeyStore({ client: pool });
  await store.migrate().catch((error: unknown) => {
    throw new Error(`the database in DATABASE_URL cannot be ${whyNot(error)}.`, { cause: error });
  });
  const isInternalKeyNew = ensureInternalKey();
  const keys = new ApiKeyManager({ store });
  return {
    keys,
    async howToCall(url) {
      const kept = isInternalKeyNew ? `INTERNAL_API_KEY was made and kept in ${ENV_FILE}. ` : '';
      const firstKey = await issueFirstKey(pool, keys);
      if (firstKey !== undefined) {
        return `${kept}A key for the user demo was made in PostgreSQL. It is shown here and never again:

curl -H 'X-API-Key: ${firstKey}' ${url}/hello

${handOver(url)}`;
      }
      return `${kept}The keys are in PostgreSQL. With the same DATABASE_URL this makes another:

npx require-api-key create alice --scope ${UPLOAD_SCOPE}

${handOver(url)}

With a key in API_KEY:

curl -H "X-API-Key: $API_KEY" ${url}/hello`;
    },
    async close() {
      await keys.close();
      await pool.end();
    },
  };
}

/** How others get their keys, and where they are listed. */
const handOver = (
  url: string,
) => `With the same DATABASE_URL, a link with which Alice makes her key herself:

npx require-api-key claim alice --scope ${UPLOAD_SCOPE} --base-url ${url}/claim

The keys are listed at ${url}/keys, for whoever has one with the scope keys:manage:

npx require-api-key create bob --scope keys:manage`;

/** The key, or `undefined` where the table has one already, be it a revoked one. */
async function issueFirstKey(pool: pg.Pool, keys: ApiKeyManager): Promise<string | undefined> {
  const connection = await pool.connect();
  try {
    // Of two first starts at the same moment only one finds the table empty.
    await connection.query(`select pg_advisory_lock(hashtext('audio-api: first key'))`);
    if ((await keys.list({ limit: 1 })).length > 0) return undefined;
    return (await keys.create({ user: 'demo', scopes: [UPLOAD_SCOPE] })).key;
  } finally {
    // Closed rather than given back to the pool: the lock ends with the connection.
    connection.release(true);
  }
}

function whyNot(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; severity?: string } };
  // Without an answer of the server there is nothing but a code to tell: the rest may hold a part of DATABASE_URL.
  return cause?.code !== undefined && cause.severity === undefined
    ? `reached (${cause.code})`
    : `used: ${message.replace(/^PostgresKeyStore: (\w+ failed: )?/, '')}`;
}

import type { Command } from 'commander';
import type { ApiKeyManager } from '../manager/api-key-manager.js';
import type { PostgresKeyStore } from '../stores/postgres/postgres-key-store.js';
import { describeDatabaseError } from './database-error.js';
import { assertDatabaseUrl, placeOf } from './database-url.js';
import { loadEnvironment } from './environment.js';
import { Failure, Misuse } from './failure.js';

export interface DatabaseOptions {
  readonly database?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly prefix?: string;
}

/** Slower databases are as good as gone; a first connection to a sleeping one may take a few seconds. */
const limitMs = 10_000;

export function addDatabaseOptions(command: Command): Command {
  return command
    .option('--database <url>', 'the PostgreSQL database (default: DATABASE_URL)')
    .option('--schema <name>', 'the schema of the table (default: public)')
    .option('--table <name>', 'the table of keys (default: api_keys)');
}

/** The database that is named by the option, the environment or `.env`, or `undefined` where none is. */
export function findDatabaseUrl({ database }: DatabaseOptions): string | undefined {
  loadEnvironment();
  const url = (database ?? process.env['DATABASE_URL'])?.trim();
  return url === '' ? undefined : url;
}

/** Runs work on the store, and closes all connections behind it. */
export async function withStore<Result>(
  options: DatabaseOptions,
  work: (store: PostgresKeyStore) => Promise<Result>,
): Promise<Result> {
  const url = findDatabaseUrl(options);
  if (url === undefined) {
    throw new Misuse(
      'no database is named: set DATABASE_URL, in the environment or in .env, or give --database',
    );
  }
  assertDatabaseUrl(url, options.database === undefined ? 'DATABASE_URL' : '--database');
  const { schema, table } = options;
  const [{ Pool }, { PostgresKeyStore }] = await Promise.all([
    loadPg(),
    import('../stores/postgres/postgres-key-store.js'),
  ]);
  const pool = new Pool({
    connectionString: url,
    connectionTimeoutMillis: limitMs,
    application_name: 'require-api-key',
  });
  try {
    const store = new PostgresKeyStore({ client: pool, schema, table, queryTimeoutMs: limitMs });
    return await work(store).catch(async (error: unknown) => {
      throw (await describeDatabaseError(error, { store, place: placeOf(url), options })) ?? error;
    });
  } finally {
    await pool.end();
  }
}

/** Runs work on a manager of the store's keys. */
export async function withKeys<Result>(
  options: DatabaseOptions,
  work: (keys: ApiKeyManager, store: PostgresKeyStore) => Promise<Result>,
): Promise<Result> {
  const { ApiKeyManager } = await import('../manager/api-key-manager.js');
  return withStore(options, async (store) => {
    const keys = new ApiKeyManager({ store, prefix: options.prefix });
    try {
      return await work(keys, store);
    } finally {
      await keys.close();
    }
  });
}

async function loadPg(): Promise<typeof import('pg')> {
  try {
    return await import('pg');
  } catch (error) {
    throw new Failure('the package "pg" is not installed: npm install pg', { cause: error });
  }
}

import { Socket } from 'node:net';
import type { Pool } from 'pg';
import type { ApiKeyManager } from '../../manager/api-key-manager.js';
import type { PostgresKeyStore } from '../../stores/postgres/postgres-key-store.js';
import type { SqliteKeyStore } from '../../stores/sqlite/sqlite-key-store.js';
import { Failure, Misuse } from '../failure.js';
import { describeDatabaseError } from './database-error.js';
import { requireDatabaseUrl, type DatabaseOptions } from './database-options.js';
import { isFileUrl, placeOf } from './database-url.js';
import { describeSqliteError } from './sqlite-error.js';

/**
 * A slower database counts as gone. A first connection to a sleeping one may take a few seconds.
 */
const limitMs = 10_000;

/** What a command works on: the keys of a PostgreSQL database or of a SQLite file. */
export type DatabaseStore = PostgresKeyStore | SqliteKeyStore;

/** Runs work on the store, then closes all connections. */
export async function withStore<Result>(
  options: DatabaseOptions,
  work: (store: DatabaseStore) => Promise<Result>,
): Promise<Result> {
  return isFileUrl(requireDatabaseUrl(options))
    ? withSqliteStore(options, work)
    : withPostgresStore(options, work);
}

/** The same for a command that only PostgreSQL has. */
export async function withPostgresStore<Result>(
  options: DatabaseOptions,
  work: (store: PostgresKeyStore) => Promise<Result>,
): Promise<Result> {
  const url = requireDatabaseUrl(options);
  if (isFileUrl(url)) throw new Misuse('this command needs a PostgreSQL database');
  const { schema, table } = options;
  const [{ Pool }, { PostgresKeyStore }] = await Promise.all([
    loadPg(),
    import('../../stores/postgres/postgres-key-store.js'),
  ]);
  const sockets: Socket[] = [];
  const pool = new Pool({
    connectionString: url,
    connectionTimeoutMillis: limitMs,
    application_name: 'require-api-key',
    stream: () => {
      const socket = new Socket();
      sockets.push(socket);
      return socket;
    },
  });
  try {
    const store = new PostgresKeyStore({ client: pool, schema, table, queryTimeoutMs: limitMs });
    return await work(store).catch(async (error: unknown) => {
      const circumstances = { store, place: placeOf(url), options, askRole: () => roleOf(pool) };
      throw (await describeDatabaseError(error, circumstances)) ?? error;
    });
  } finally {
    await pool.end();
    // pg leaves a connection open if it lacks a password, and the process would wait for the
    // server.
    for (const socket of sockets) socket.destroy();
  }
}

async function roleOf(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ role: string }>('select current_user::text as role');
  return rows[0]!.role;
}

async function withSqliteStore<Result>(
  options: DatabaseOptions,
  work: (store: SqliteKeyStore) => Promise<Result>,
): Promise<Result> {
  const url = requireDatabaseUrl(options);
  const { SqliteKeyStore } = await import('../../stores/sqlite/sqlite-key-store.js');
  const { table } = options;
  const store = await SqliteKeyStore.open(url, table === undefined ? {} : { table }).catch(
    (error: unknown) => {
      throw describeSqliteError(error, options) ?? error;
    },
  );
  try {
    return await work(store).catch((error: unknown) => {
      throw describeSqliteError(error, options) ?? error;
    });
  } finally {
    await store.close();
  }
}

/** Runs work on a manager of the store's keys. */
export async function withKeys<Result>(
  options: DatabaseOptions,
  work: (keys: ApiKeyManager, store: DatabaseStore) => Promise<Result>,
): Promise<Result> {
  const { ApiKeyManager } = await import('../../manager/api-key-manager.js');
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

import type { Command } from 'commander';
import type { ApiKeyManager } from '../manager/api-key-manager.js';
import type { PostgresKeyStore } from '../stores/postgres/postgres-key-store.js';
import { describeDatabaseError, placeOf } from './database-error.js';
import { loadEnvironment } from './environment.js';
import { Failure, Misuse } from './failure.js';
import { rememberSecret } from './secrets.js';

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

/** @throws {Misuse} that never repeats what stands there: it holds a password. */
function assertDatabaseUrl(url: string, name: string): void {
  rememberSecret(url);
  if (/^["']/.test(url)) throw new Misuse(`${name} stands in quotes that are a part of it: take them away`);
  if (!/^(postgres|postgresql|socket):/i.test(url)) {
    throw new Misuse(`${name} is not a PostgreSQL URL: it begins with postgres://`);
  }
  const password = passwordOf(url);
  if (password === undefined) {
    throw new Misuse(`${name} cannot be read: percent-encode what is not a letter or digit in its password`);
  }
  rememberSecret(password);
}

function passwordOf(url: string): string | undefined {
  // Of a socket the address may have no host: `socket:/run/postgresql`.
  if (!/^(\w+:\/\/|socket:\/)/i.test(url)) return undefined;
  try {
    // A host may be missing where a socket is named among the parameters.
    const { password, pathname, search, hash } = new URL(url.replace('@/', '@socket/'));
    // A password with a `/`, `?` or `#` ends the host early, and its rest would be told as the name of the database.
    return /@/.test(pathname + search + hash) ? undefined : decodeURIComponent(password);
  } catch {
    return undefined;
  }
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
      throw (await describeDatabaseError(error, { store, place: placeOf(url), schema, table })) ?? error;
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

import type { Command } from 'commander';
import { loadEnvironment } from '../environment.js';
import { Misuse } from '../failure.js';
import { assertDatabaseUrl, isFileUrl } from './database-url.js';

export interface DatabaseOptions {
  readonly database?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly prefix?: string;
}

export function addDatabaseOptions(command: Command): Command {
  return command
    .option(
      '--database <url>',
      'postgres://..., or a SQLite file as file:keys.db (default: DATABASE_URL)',
    )
    .option('--schema <name>', 'the schema of the table in PostgreSQL (default: public)')
    .option('--table <name>', 'the table of keys (default: api_keys)');
}

/** The database named by the option, the environment or `.env`. `undefined` if none is. */
export function findDatabaseUrl({ database }: DatabaseOptions): string | undefined {
  loadEnvironment();
  const url = (database ?? process.env['DATABASE_URL'])?.trim();
  return url === '' ? undefined : url;
}

/** @throws {Misuse} if none is named, or its address cannot be read. */
export function requireDatabaseUrl(options: DatabaseOptions): string {
  const url = findDatabaseUrl(options);
  if (url === undefined) {
    throw new Misuse(
      'no database is set: put DATABASE_URL=postgres://... or DATABASE_URL=file:keys.db into ' +
        'the environment or .env, or give --database <url>',
    );
  }
  const name = options.database === undefined ? 'DATABASE_URL' : '--database';
  assertDatabaseUrl(url, name, options.schema);
  return url;
}

/**
 * The name of the table of keys for messages. In PostgreSQL with its schema, which SQLite lacks.
 */
export function tableName(options: DatabaseOptions): string {
  const { schema = 'public', table = 'api_keys' } = options;
  return isFileUrl(findDatabaseUrl(options)) ? table : `${schema}.${table}`;
}

import type { SchemaState } from '../../stores/postgres/schema/inspect.js';
import { commandOn } from '../paste-line.js';
import { findDatabaseUrl, tableName, type DatabaseOptions } from './database-options.js';
import { isFileUrl } from './database-url.js';

export interface StateProblem {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** What is wrong with the tables and how to fix it. `undefined` if they are ready. */
export function describeState(
  { state, version }: { readonly state: SchemaState; readonly version: number },
  options: DatabaseOptions,
): StateProblem | undefined {
  const table = tableName(options);
  switch (state) {
    case 'ready':
      return undefined;
    case 'missing':
      return {
        code: 'not_migrated',
        message: `the database has no table ${table}`,
        remedy: `run ${commandOn(options, 'migrate')}`,
      };
    case 'older':
      return {
        code: 'not_migrated',
        message: `the table ${table} is out of date (version ${version})`,
        remedy: `run ${commandOn(options, 'migrate')}`,
      };
    case 'newer':
      return {
        code: 'newer_schema',
        message: `the table ${table} has version ${version}, newer than this program knows`,
        remedy: 'update require-api-key to the version that upgraded the table, or to a later one',
      };
    case 'plaintext':
      return {
        code: 'plaintext_table',
        message: `the table ${table} holds keys in plaintext`,
        remedy: isFileUrl(findDatabaseUrl(options))
          ? 'name another with --table, and take the keys over with import'
          : `run ${commandOn(options, 'adopt')}, which hashes them in place; working keys keep ` +
            'working',
      };
    case 'disarmed':
      return {
        code: 'disabled_triggers',
        message:
          `a trigger of the table ${table} is missing, changed or disabled, its function is not ` +
          "the owner's alone, or the table inherits: servers see changes late, and a rotated key " +
          'may work too long',
        remedy: `run ${commandOn(options, 'migrate')}, which restores it or says what it cannot`,
      };
    case 'unrelated':
      return {
        code: 'unrelated_table',
        message: `the table ${table} is not a table of keys`,
        remedy: 'name another with --table, or in PostgreSQL with --schema',
      };
  }
}

import type { SchemaState } from '../stores/postgres/inspect.js';
import { commandOn } from './command-line.js';
import type { DatabaseOptions } from './database.js';

export interface StateProblem {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** The table of keys with its schema, as it is told. */
export const tableName = ({ schema = 'public', table = 'api_keys' }: DatabaseOptions) => `${schema}.${table}`;

/** What is wrong with the tables and how to mend it, or `undefined` where they are ready. */
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
        message: `the table ${table} is of version ${version} and not up to date`,
        remedy: `run ${commandOn(options, 'migrate')}`,
      };
    case 'newer':
      return {
        code: 'newer_schema',
        message: `the table ${table} is of version ${version}, newer than this library knows`,
        remedy: 'update require-api-key to the version that made it, or a later one',
      };
    case 'plaintext':
      return {
        code: 'plaintext_table',
        message: `the table ${table} holds keys in plaintext`,
        remedy: `run ${commandOn(options, 'adopt')}, which hashes them in place and loses none`,
      };
    case 'disarmed':
      return {
        code: 'disabled_triggers',
        message: `the table ${table} lacks a trigger or has one disabled: a change elsewhere is seen late, an old key may outlive its rotation`,
        remedy: `run ${commandOn(options, 'migrate')}, which brings it back`,
      };
    case 'foreign':
      return {
        code: 'foreign_table',
        message: `the table ${table} is something else than a table of keys`,
        remedy: 'name another with --table or --schema',
      };
  }
}

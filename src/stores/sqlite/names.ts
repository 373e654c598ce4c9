import type { Check } from '../../lib/options.js';
import { isStorable } from './values.js';

/** Leaves room for the longest ending that is added to a table's name, as in PostgreSQL. */
const maxTableBytes = 43;

/** The names of the store's tables, quoted and ready to stand in SQL. */
export interface Names {
  /** The table of keys as the caller wrote it. */
  readonly table: string;
  readonly keys: string;
  readonly claims: string;
  readonly events: string;
  readonly usage: string;
  /** Which keys were reported as about to expire. */
  readonly notices: string;
  /** The key ids of recent changes, which watchers poll. */
  readonly changes: string;
  /** One row while a change is under way. It tells the triggers who makes the change and why. */
  readonly context: string;
  readonly migrations: string;
  /** The table's name with an ending, as in `sqlite_schema`. */
  plain(ending: string): string;
  /** The same, quoted. */
  quoted(ending: string): string;
}

export const mustBeTableName: Check = (value) =>
  typeof value === 'string' &&
  value !== '' &&
  isStorable(value) &&
  Buffer.byteLength(value) <= maxTableBytes &&
  !/^sqlite_/i.test(value)
    ? undefined
    : `a name of 1 to ${maxTableBytes} bytes that does not begin with "sqlite_"`;

export function createNames(table: string): Names {
  const plain = (ending: string) => table + ending;
  const quoted = (ending: string) => `"${plain(ending).replaceAll('"', '""')}"`;
  return {
    table,
    keys: quoted(''),
    claims: quoted('_claims'),
    events: quoted('_events'),
    usage: quoted('_usage'),
    notices: quoted('_notices'),
    changes: quoted('_changes'),
    context: quoted('_context'),
    migrations: quoted('_migrations'),
    plain,
    quoted,
  };
}

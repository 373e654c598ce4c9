import { isShowable } from './database/database-url.js';
import type { DatabaseOptions } from './database/database-options.js';

/** How a line to paste calls this program. npx finds it in the project and globally. */
export const programName = 'npx require-api-key';

/** A word as it is written in a shell, in quotes if it needs them. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * A line to paste that works on the same database and table as this run. A `--database` with a
 * password is left to be filled in.
 */
export function commandOn(
  { database, schema, table }: DatabaseOptions,
  command: string,
  rest?: string,
): string {
  const words = [programName, command];
  if (database !== undefined)
    words.push('--database', isShowable(database) ? quote(database) : '<url>');
  if (schema !== undefined) words.push('--schema', quote(schema));
  if (table !== undefined) words.push('--table', quote(table));
  return [...words, ...(rest === undefined ? [] : [rest])].join(' ');
}

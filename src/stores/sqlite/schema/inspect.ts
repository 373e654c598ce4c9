import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { tableEndings } from './tables.js';
import { wantedTriggers } from './triggers.js';

/** The version of the schema that this library makes. */
export const latestVersion = 1;

/**
 * What the file has under the table's name.
 *
 * - `ready`: tables as this library needs them.
 * - `missing`: no table, or no file.
 * - `plaintext`: a table of plaintext keys.
 * - `older`: to be upgraded by `migrate`.
 * - `newer`: made by a later version of the library.
 * - `unrelated`: something else of that name.
 * - `disarmed`: another table or a trigger is missing or changed. Changes may go unseen and leave
 *   no event. `migrate` repairs it.
 */
export type SchemaState =
  'ready' | 'missing' | 'plaintext' | 'older' | 'newer' | 'unrelated' | 'disarmed';

/** The findings of `SqliteKeyStore.inspect`. */
export interface Inspection {
  /** Whether the tables can be used, and if not, why. */
  state: SchemaState;
  /** The number of the last migration that was applied. 0 for none. */
  version: number;
}

/** @param latest the version that is up to date */
export function inspect(
  connection: Connection,
  names: Names,
  latest: number = latestVersion,
): Inspection {
  // Names in SQLite ignore the case of ASCII letters.
  const objects = connection.all(
    `select type, lower(name) as name, sql from sqlite_schema where lower(name) in
      (select lower(value) from json_each(?))`,
    JSON.stringify([
      ...tableEndings.map((ending) => names.plain(ending)),
      ...wantedTriggers(names).keys(),
    ]),
  );
  const typeOf = (name: string) =>
    objects.find((each) => each['name'] === lowerAscii(name))?.['type'] as string | undefined;
  const type = typeOf(names.table);
  if (type === undefined) return { state: 'missing', version: 0 };
  const version = typeOf(names.plain('_migrations')) === 'table' ? versionOf(connection, names) : 0;
  if (version > latest) return { state: 'newer', version };
  if (version > 0 && version < latest) return { state: 'older', version };
  if (version > 0) {
    const hasTables = tableEndings.every((ending) => typeOf(names.plain(ending)) === 'table');
    const isArmed = hasTables && hasTriggers(connection, wantedTriggers(names));
    return { state: isArmed ? 'ready' : 'disarmed', version };
  }
  const columns = connection.all(`select name from pragma_table_info(?)`, names.table);
  const isPlaintext = type === 'table' && columns.some(({ name }) => name === 'api_key');
  return { state: isPlaintext ? 'plaintext' : 'unrelated', version };
}

/** Whether each of these triggers exists as created here. */
export function hasTriggers(connection: Connection, triggers: Map<string, string>): boolean {
  const rows = connection.all(
    `select name, sql from sqlite_schema where type = 'trigger' and name in
      (select value from json_each(?))`,
    JSON.stringify([...triggers.keys()]),
  );
  const found = new Map(rows.map(({ name, sql }) => [name, sql]));
  return [...triggers].every(([name, sql]) => found.get(name) === sql);
}

function versionOf(connection: Connection, names: Names): number {
  const [row] = connection.all(`select max(version) as version from ${names.migrations}`);
  return Number(row?.['version'] ?? 0);
}

const lowerAscii = (text: string) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

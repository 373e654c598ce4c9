import type { KeyRecord } from '../../key-record.js';
import type { Connection, SqliteValue } from '../driver.js';
import type { Names } from '../names.js';
import { existing } from './find.js';

/** Sets columns of one key and reads it again. Writes nothing if no column is given. */
export function write(
  connection: Connection,
  names: Names,
  keyId: string,
  columns: Readonly<Record<string, SqliteValue>>,
): KeyRecord {
  const set = Object.keys(columns).map((column) => `${column} = ?`);
  if (set.length > 0) {
    connection.run(
      `update ${names.keys} set ${set.join(', ')} where key_id = ?`,
      ...Object.values(columns),
      keyId,
    );
  }
  return existing(connection, names, keyId);
}

import type { KeyRecord, StoredKey } from '../../key-record.js';
import { unknownKeyId } from '../../key-store-error.js';
import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { readRecord, readStoredKey, recordColumns } from '../record.js';
import { isStorable } from '../values.js';

export function findByDigest(
  connection: Connection,
  names: Names,
  digest: string,
): StoredKey | undefined {
  const [row] = connection.all(
    `select k.digest, ${recordColumns(names)} from ${names.keys} k where k.digest = ?`,
    digest,
  );
  return row && readStoredKey(row);
}

export function get(connection: Connection, names: Names, keyId: string): KeyRecord | undefined {
  if (!isStorable(keyId)) return undefined;
  const [row] = connection.all(
    `select ${recordColumns(names)} from ${names.keys} k where k.key_id = ?`,
    keyId,
  );
  return row && readRecord(row);
}

/** @throws {KeyStoreError} `unknown_key_id` */
export function existing(connection: Connection, names: Names, keyId: string): KeyRecord {
  const record = get(connection, names, keyId);
  if (!record) throw unknownKeyId();
  return record;
}

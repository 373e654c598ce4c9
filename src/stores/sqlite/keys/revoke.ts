import type { KeyRecord } from '../../key-record.js';
import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { readRecord, recordColumns } from '../record.js';
import { timeText } from '../values.js';
import { existing } from './find.js';

export function revoke(
  connection: Connection,
  names: Names,
  keyId: string,
  revokedAt: Date,
  family: boolean,
): KeyRecord[] {
  // Rejects an unknown key id, even one that no row could hold.
  existing(connection, names, keyId);
  const ids = JSON.stringify(family ? familyOf(connection, names, keyId) : [keyId]);
  connection.run(
    `update ${names.keys} set revoked_at = ?
      where revoked_at is null and key_id in (select value from json_each(?))`,
    timeText(revokedAt),
    ids,
  );
  return connection
    .all(
      `select ${recordColumns(names)} from ${names.keys} k
        where k.key_id in (select value from json_each(?))
        order by k.key_id = ? desc, k.created_at desc, k.key_id desc`,
      ids,
      keyId,
    )
    .map(readRecord);
}

/** Every key that rotations link to this one, in both directions. */
function familyOf(connection: Connection, names: Names, keyId: string): string[] {
  const rows = connection.all(
    `with recursive older (key_id, replaces) as (
        select key_id, replaces from ${names.keys} where key_id = ?
        union select k.key_id, k.replaces from older
          join ${names.keys} k on k.key_id = older.replaces
      ), newer (key_id) as (
        select ?
        union select k.key_id from newer join ${names.keys} k on k.replaces = newer.key_id
      )
      select key_id from older union select key_id from newer`,
    keyId,
    keyId,
  );
  return rows.map((row) => row['key_id'] as string);
}

/** Revokes every key of a user that is not revoked yet. */
export function revokeKeysOf(
  connection: Connection,
  names: Names,
  user: string,
  revokedAt: Date,
): KeyRecord[] {
  const rows = connection.all(
    `update ${names.keys} set revoked_at = ? where revoked_at is null and user_name = ?
      returning key_id`,
    timeText(revokedAt),
    user,
  );
  return connection
    .all(
      `select ${recordColumns(names)} from ${names.keys} k
        where k.key_id in (select value from json_each(?))
        order by k.created_at desc, k.key_id desc`,
      JSON.stringify(rows.map((row) => row['key_id'])),
    )
    .map(readRecord);
}

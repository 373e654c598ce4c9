import type { KeyChanges, KeyRecord } from '../../key-store.js';
import type { Database } from '../database.js';
import { endOfReplaced, unknownKeyId } from '../key-store-errors.js';
import type { Names } from '../names.js';
import { instantParameter, instantSql, metadataSql, scopesSql, soughtText } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import { get } from './get.js';

/** Each more than the first means that the row was changed by another in the instant between reading and writing it. */
const maxAttempts = 50;

export async function update(
  database: Database,
  names: Names,
  keyId: string,
  { name, scopes, expiresAt, metadata }: KeyChanges,
  limitMs: number,
): Promise<KeyRecord> {
  const values = [soughtText(keyId)];
  const changes: string[] = [];
  const set = (column: string, value: string | null, read: (parameter: string) => string) => {
    const sql = read(`$${values.push(value)}`);
    changes.push(`${column} = ${sql}`);
    return sql;
  };
  let condition = 'true';
  if (name !== undefined) set('name', name, (parameter) => `${parameter}::text`);
  if (scopes !== undefined) set('scopes', JSON.stringify(scopes), scopesSql);
  if (metadata !== undefined) set('metadata', JSON.stringify(metadata), metadataSql);
  if (expiresAt !== undefined)
    condition = mayEndAt(set('expires_at', instantParameter(expiresAt), instantSql));

  if (changes.length === 0) {
    const record = await get(database, names, keyId, limitMs);
    if (!record) throw unknownKeyId();
    return record;
  }
  const text = `with seen as materialized (
      select k.key_id, k.xmin as version, exists (select from ${names.keys} s where s.replaces = k.key_id) as is_replaced
      from ${names.keys} k where k.key_id = $1::text
    ), changed as (
      update ${names.keys} k set ${changes.join(', ')}
      from seen where k.key_id = seen.key_id and ${condition}
      returning k.*
    )
    select seen.is_replaced::text as is_replaced, ${selectRecord(names, 'changed')} as record, changed.key_id
    from seen left join changed using (key_id)`;
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const [row] = await database.query('update', { text, values }, limitMs);
    if (!row) throw unknownKeyId();
    if (row['key_id'] !== null) return readRecord(row);
    if (row['is_replaced'] === 'true') throw endOfReplaced();
  }
  throw new Error('PostgresKeyStore: update failed: the key was changed by others again and again meanwhile');
}

/**
 * A key that was rotated never ends later than it had to. Whether there is a successor is read as of the statement's beginning; of
 * what was committed while it waited for the row only the row itself is read anew. So an end may be put off in none but the very row
 * that was seen: a rotation leaves another version of it, whether or not it moves the end.
 */
const mayEndAt = (end: string): string => `(
  coalesce(${end}, 'infinity') <= coalesce(k.expires_at, 'infinity')
  or (k.xmin = seen.version and not seen.is_replaced))`;

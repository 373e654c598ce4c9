import type { KeyChanges, KeyRecord } from '../../key-store.js';
import type { Database } from '../database.js';
import { unknownKeyId } from '../key-store-errors.js';
import type { Names } from '../names.js';
import { instantParameter, instantSql, metadataSql, scopesSql, soughtText } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import { get } from './get.js';

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
    changes.push(`${column} = ${read(`$${values.push(value)}`)}`);
  };
  if (name !== undefined) set('name', name, (parameter) => `${parameter}::text`);
  if (scopes !== undefined) set('scopes', JSON.stringify(scopes), scopesSql);
  if (expiresAt !== undefined) set('expires_at', instantParameter(expiresAt), instantSql);
  if (metadata !== undefined) set('metadata', JSON.stringify(metadata), metadataSql);

  if (changes.length === 0) {
    const record = await get(database, names, keyId, limitMs);
    if (!record) throw unknownKeyId();
    return record;
  }
  const text = `update ${names.keys} k set ${changes.join(', ')} where k.key_id = $1::text
    returning ${selectRecord(names)} as record`;
  const [row] = await database.query('update', { text, values }, limitMs);
  if (!row) throw unknownKeyId();
  return readRecord(row);
}

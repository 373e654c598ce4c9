import type { KeyRecord } from '../../key-record.js';
import type { KeyChanges } from '../../key-store.js';
import { endsWithOverlap, unknownKeyId } from '../../key-store-error.js';
import { assertNothingHidden, commandsOf } from '../hidden-rows.js';
import {
  instantParameter,
  instantSql,
  metadataSql,
  scopesSql,
  searchParameter,
} from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Session } from '../session.js';
import { get } from './find.js';

/** A further attempt means that somebody else changed the row between reading and writing it. */
const maxAttempts = 50;

export async function update(
  session: Session,
  keyId: string,
  { name, scopes, expiresAt, metadata }: KeyChanges,
): Promise<KeyRecord> {
  const { names } = session;
  const values = [searchParameter(keyId)];
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
    const record = await get(session, keyId);
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
    const [row] = await session.query('update', { text, values });
    if (!row) {
      await assertNothingHidden(session);
      throw unknownKeyId();
    }
    if (row['key_id'] !== null) return readRecord(row);
    if (row['is_replaced'] === 'true') throw endsWithOverlap();
    await assertNothingHidden(session, 'keys', commandsOf.change);
  }
  throw new Error('PostgresKeyStore: update failed: others kept changing the key meanwhile');
}

/**
 * A key that was rotated never ends later than it had to. The statement sees successors as they were when it began; if it has to wait
 * for the row, PostgreSQL reads only that row again. So the end may move to later only in the version of the row that was seen: a
 * rotation always writes a new version, also where it does not change the end.
 */
const mayEndAt = (end: string): string => `(
  coalesce(${end}, 'infinity') <= coalesce(k.expires_at, 'infinity')
  or (k.xmin = seen.version and not seen.is_replaced))`;

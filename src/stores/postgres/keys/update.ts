import type { KeyRecord } from '../../key-record.js';
import type { WriteOptions, KeyUpdate } from '../../key-store.js';
import { endsWithOverlap, tooManyKeys, unknownKeyId } from '../../key-store-error.js';
import { contextParameter, contextSql } from '../context.js';
import { assertNothingHidden, commandsOf } from '../hidden-rows.js';
import {
  addressesParameter,
  addressesSql,
  instantParameter,
  instantSql,
  metadataSql,
  scopesSql,
  searchParameter,
} from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Executor } from '../database.js';
import { get } from './get.js';

/** Another attempt means that somebody changed the row between reading and writing it. */
const maxAttempts = 50;

export async function update(
  executor: Executor,
  keyId: string,
  { name, scopes, expiresAt, metadata, user, allowedAddresses }: KeyUpdate,
  { context, limit }: WriteOptions = {},
): Promise<KeyRecord> {
  const { names } = executor;
  const values = [searchParameter(keyId), contextParameter(context)];
  const changes: string[] = [];
  const set = (column: string, value: string | null, read: (parameter: string) => string) => {
    const sql = read(`$${values.push(value)}`);
    changes.push(`${column} = ${sql}`);
    return sql;
  };
  let [condition, end, room] = ['true', 'k.expires_at', 'true'];
  if (name !== undefined) set('name', name, asText);
  if (scopes !== undefined) set('scopes', JSON.stringify(scopes), scopesSql);
  if (metadata !== undefined) set('metadata', JSON.stringify(metadata), metadataSql);
  if (allowedAddresses !== undefined)
    set('allowed_addresses', addressesParameter(allowedAddresses), addressesSql);
  if (expiresAt !== undefined) {
    end = set('expires_at', instantParameter(expiresAt), instantSql);
    condition = mayEndAt(end);
  }
  if (user !== undefined) {
    const owner = set('user_name', user, asText);
    if (limit) {
      const now = instantSql(`$${values.push(instantParameter(limit.now))}`);
      const most = `$${values.push(String(limit.maxKeysPerUser))}::text::bigint`;
      // A key that does not count, or already belongs to the user, takes no place.
      room = `case when k.user_name = ${owner} or k.revoked_at is not null or ${end} <= ${now}
            or seen.is_replaced then true
          else ${names.qualified('_has_room')}(${owner}, ${now}, ${most}) end`;
    }
  }

  if (changes.length === 0) {
    const record = await get(executor, keyId);
    if (!record) throw unknownKeyId();
    return record;
  }
  const text = `with ${contextSql('$2')}, seen as materialized (
      select k.key_id, k.xmin as version,
        exists (select from ${names.keys} s where s.replaces = k.key_id) as is_replaced
      from ${names.keys} k where k.key_id = $1::text
    ), room as materialized (
      select ${room} as is_left from seen join ${names.keys} k using (key_id)
    ), changed as (
      update ${names.keys} k set ${changes.join(', ')}
      from seen, room, context where k.key_id = seen.key_id and room.is_left and ${condition}
      returning k.*
    )
    select seen.is_replaced::text as is_replaced, room.is_left::text as is_left,
      ${selectRecord(names, 'changed')} as record, changed.key_id
    from seen cross join room left join changed using (key_id)`;
  if (room !== 'true') await assertNothingHidden(executor);
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const [row] = await executor.query('update', { text, values });
    if (!row) {
      await assertNothingHidden(executor);
      throw unknownKeyId();
    }
    if (row['key_id'] !== null) return readRecord(row);
    if (row['is_left'] === 'false') throw tooManyKeys();
    if (row['is_replaced'] === 'true') throw endsWithOverlap();
    await assertNothingHidden(executor, 'keys', commandsOf.change);
  }
  throw new Error('PostgresKeyStore: update failed: others kept changing the key meanwhile');
}

const asText = (parameter: string) => `${parameter}::text`;

/**
 * A rotated key never gets a later end. The statement sees successors as they were when it began.
 * If it waits for the row, PostgreSQL only reads that row again. So the end may only move to
 * later in the row version that was seen: a rotation always writes a new version, even if the end
 * stays.
 */
const mayEndAt = (end: string): string => `(
  coalesce(${end}, 'infinity') <= coalesce(k.expires_at, 'infinity')
  or (k.xmin = seen.version and not seen.is_replaced))`;

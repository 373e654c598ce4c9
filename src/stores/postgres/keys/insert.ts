import type { KeyRecord, StoredKey } from '../../key-record.js';
import type { WriteOptions } from '../../key-store.js';
import { duplicateKey, tooManyKeys } from '../../key-store-error.js';
import { contextParameter, contextSql } from '../context.js';
import { assertNothingHidden } from '../hidden-rows.js';
import {
  addressesParameter,
  addressesSql,
  instantParameter,
  instantSql,
  metadataSql,
  scopesSql,
} from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Executor } from '../database.js';

export async function insert(
  executor: Executor,
  key: StoredKey,
  { context, limit }: WriteOptions = {},
): Promise<KeyRecord> {
  const { names } = executor;
  const values = [contextParameter(context)];
  const columns: string[] = [];
  const expressions: string[] = [];
  const set = (column: string, value: string | null, read = asText) => {
    columns.push(column);
    expressions.push(read(`$${values.push(value as string)}`));
  };
  set('key_id', key.keyId);
  set('user_name', key.user);
  set('name', key.name ?? null);
  set('digest', key.digest);
  set('scopes', JSON.stringify(key.scopes), scopesSql);
  set('metadata', JSON.stringify(key.metadata), metadataSql);
  set('created_at', instantParameter(key.createdAt), instantSql);
  set('last_used_at', instantParameter(key.lastUsedAt), instantSql);
  set('expires_at', instantParameter(key.expiresAt), instantSql);
  set('revoked_at', instantParameter(key.revokedAt), instantSql);
  set('replaces', key.replaces ?? null);
  set('overlap_ms', key.overlapMs === undefined ? null : String(key.overlapMs), asInteger);
  // Only if there is a value: a table that is not yet upgraded lacks these columns.
  if (key.pausedAt) set('paused_at', instantParameter(key.pausedAt), instantSql);
  if (key.pausedUntil) set('paused_until', instantParameter(key.pausedUntil), instantSql);
  if (key.allowedAddresses?.length)
    set('allowed_addresses', addressesParameter(key.allowedAddresses), addressesSql);

  let room = 'true';
  if (limit && countsAt(key, limit.now)) {
    const since = instantSql(`$${values.push(instantParameter(limit.now)!)}`);
    const most = `$${values.push(String(limit.maxKeysPerUser))}::text::bigint`;
    // Keys that the role cannot see would not be counted.
    await assertNothingHidden(executor);
    room = `${names.qualified('_has_room')}($3::text, ${since}, ${most})`;
  }
  // A conflict gives no row instead of an error. So it does not break the caller's transaction, and
  // no message names a digest.
  const text = `with ${contextSql('$1')}, room as materialized (
      select ${room} as is_left
    ), made as (
      insert into ${names.keys} (${columns.join(', ')})
      select ${expressions.join(', ')} from context, room where room.is_left
      on conflict do nothing
      returning *
    )
    select room.is_left::text as is_left, made.key_id, ${selectRecord(names, 'made')} as record
    from room left join made on true`;
  const [row] = await executor.query('insert', { text, values });
  if (row?.['is_left'] === 'false') throw tooManyKeys();
  if (!row || row['key_id'] === null) throw duplicateKey();
  return readRecord(row);
}

const asText = (parameter: string) => `${parameter}::text`;
const asInteger = (parameter: string) => `${parameter}::text::bigint`;

/** Whether a key that is added now counts toward its user's limit. */
const countsAt = ({ revokedAt, expiresAt }: StoredKey, now: Date) =>
  !revokedAt && !(expiresAt && expiresAt <= now);

import type { KeyRecord } from '../../key-record.js';
import type { KeyStoreError } from '../../key-store-error.js';
import type { WriteOptions, Overlap, Successor } from '../../key-store.js';
import { alreadyRotated, duplicateKey, keyNotUsable, unknownKeyId } from '../../key-store-error.js';
import { contextParameter, contextSql } from '../context.js';
import { assertNothingHidden, commandsOf } from '../hidden-rows.js';
import { instantParameter, instantSql, scopesSql, searchParameter } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Executor } from '../database.js';

export async function rotate(
  executor: Executor,
  keyId: string,
  successor: Successor,
  { overlapMs, startsAt }: Overlap,
  { context }: WriteOptions = {},
): Promise<{ record: KeyRecord; previous: KeyRecord }> {
  const { names } = executor;
  // Of two rotations at once, the later one waits for the row, reads it again, and fails at the
  // index that allows one successor. One statement changes the row under its lock, so a revocation
  // comes entirely before or after it.
  // The statement also locks the key before, in the order of ids, if that key waits for a first use
  // that may never come. An old key that keeps its end is still written: a concurrent update must
  // notice that it has a successor now.
  const createdAt = instantSql('$4');
  const text = `with ${contextSql('$7')}, locked as materialized (
      select * from ${names.keys}
      where key_id in (
        select $1::text
        union select replaces from ${names.keys} where key_id = $1::text and overlap_ms is not null)
      order by key_id for update
    ), old as (
      select * from locked
      where key_id = $1::text and revoked_at is null
        and (expires_at is null or expires_at > ${createdAt})
    ), successor as (
      insert into ${names.keys}
        (key_id, user_name, name, digest, scopes, metadata, created_at, expires_at,
          allowed_addresses, replaces, overlap_ms)
      select $2::text, user_name, name, $3::text,
        case when $8::text is null then scopes else array(
          select had.scope from pg_catalog.unnest(scopes) with ordinality as had (scope, place)
          where had.scope = any (${scopesSql('$8')}) order by had.place) end,
        metadata, ${createdAt}, expires_at, allowed_addresses, key_id,
        case when $6::text = 'first-use' then $5::text::bigint end
      from old, context
      on conflict do nothing
      returning *
    ), ends as materialized (
      select old.key_id, case when $6::text = 'now' then $5::text::float8 end as overlap_ms
      from old join successor on successor.replaces = old.key_id
      union all
      select old.replaces, old.overlap_ms::float8
      from old join successor on successor.replaces = old.key_id
      where old.overlap_ms is not null
    ), ended as (
      update ${names.keys} k
      set expires_at = least(k.expires_at,
        ${createdAt} + ends.overlap_ms * interval '1 millisecond')
      from ends where k.key_id = ends.key_id
      returning k.*
    )
    select ${selectRecord(names, 'successor')} as record, ${selectRecord(names, 'previous')}
      as previous
    from successor join ended previous on previous.key_id = successor.replaces`;
  const values = [
    searchParameter(keyId),
    successor.keyId,
    successor.digest,
    instantParameter(successor.createdAt),
    String(overlapMs),
    startsAt,
    contextParameter(context, { rotates: keyId, replacedBy: successor.keyId }),
    successor.onlyScopes ? JSON.stringify(successor.onlyScopes) : null,
  ];
  const [row] = await executor.search('rotate', { text, values });
  if (!row) throw await whyNotRotated(executor, keyId, successor.createdAt);
  // The statement does not see its own insert when it looks for successors.
  return {
    record: readRecord(row),
    previous: { ...readRecord(row, 'previous'), replacedBy: successor.keyId },
  };
}

/** Finds the reason after nothing was changed. */
async function whyNotRotated(
  executor: Executor,
  keyId: string,
  createdAt: Date,
): Promise<KeyStoreError> {
  const { names } = executor;
  const text = `select
      (exists (select from ${names.keys} s where s.replaces = k.key_id))::text as rotated,
      (k.revoked_at is not null or coalesce(k.expires_at <= ${instantSql('$2')}, false))::text
        as unusable
    from ${names.keys} k where k.key_id = $1::text`;
  const values = [searchParameter(keyId), instantParameter(createdAt)];
  const [row] = await executor.search('rotate', { text, values });
  if (!row || (row['rotated'] !== 'true' && row['unusable'] !== 'true'))
    await assertNothingHidden(executor, 'keys', commandsOf.change);
  if (!row) return unknownKeyId();
  if (row['rotated'] === 'true') return alreadyRotated();
  return row['unusable'] === 'true' ? keyNotUsable() : duplicateKey();
}

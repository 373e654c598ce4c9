import type { KeyRecord, KeyStoreError, Overlap, Successor } from '../../key-store.js';
import type { Database } from '../database.js';
import { alreadyRotated, duplicateKey, keyNotUsable, unknownKeyId } from '../key-store-errors.js';
import type { Names } from '../names.js';
import { instantParameter, instantSql, soughtText } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';

export async function rotate(
  database: Database,
  names: Names,
  keyId: string,
  successor: Successor,
  { overlapMs, startsAt }: Overlap,
  limitMs: number,
): Promise<{ record: KeyRecord; previous: KeyRecord }> {
  // Of two rotations at once the later waits for the row, reads it anew, and then meets the index that allows one successor.
  // The row is changed under its lock by this one statement, so a revocation comes either before or after the whole of it.
  const createdAt = instantSql('$4');
  const text = `with old as (
      select * from ${names.keys}
      where key_id = $1::text and revoked_at is null and (expires_at is null or expires_at > ${createdAt})
      for update
    ), successor as (
      insert into ${names.keys}
        (key_id, user_name, name, digest, scopes, metadata, created_at, expires_at, replaces, overlap_ms)
      select $2::text, user_name, name, $3::text, scopes, metadata, ${createdAt}, expires_at, key_id,
        case when $6::text = 'first-use' then $5::text::bigint end
      from old
      on conflict do nothing
      returning *
    ), ended as (
      update ${names.keys} k
      set expires_at = least(k.expires_at, ${createdAt} + $5::text::float8 * interval '1 millisecond')
      from successor where k.key_id = successor.replaces and $6::text = 'now'
      returning k.*
    ), previous as (
      select * from ended union all select * from old where not exists (select from ended)
    )
    select ${selectRecord(names, 'successor')} as record, ${selectRecord(names, 'previous')} as previous
    from successor, previous`;
  const values = [
    soughtText(keyId),
    successor.keyId,
    successor.digest,
    instantParameter(successor.createdAt),
    String(overlapMs),
    startsAt,
  ];
  const [row] = await database.query('rotate', { text, values }, limitMs);
  if (!row) throw await whyNotRotated(database, names, keyId, successor.createdAt, limitMs);
  // The statement does not see its own insert when it looks for successors.
  return {
    record: readRecord(row),
    previous: { ...readRecord(row, 'previous'), replacedBy: successor.keyId },
  };
}

/** Nothing was changed; only the reason is asked for. */
async function whyNotRotated(
  database: Database,
  names: Names,
  keyId: string,
  createdAt: Date,
  limitMs: number,
): Promise<KeyStoreError> {
  const text = `select
      (exists (select from ${names.keys} s where s.replaces = k.key_id))::text as rotated,
      (k.revoked_at is not null or coalesce(k.expires_at <= ${instantSql('$2')}, false))::text as unusable
    from ${names.keys} k where k.key_id = $1::text`;
  const values = [soughtText(keyId), instantParameter(createdAt)];
  const [row] = await database.query('rotate', { text, values }, limitMs);
  if (!row) return unknownKeyId();
  if (row['rotated'] === 'true') return alreadyRotated();
  return row['unusable'] === 'true' ? keyNotUsable() : duplicateKey();
}

import type { ClaimRecord } from '../../claim-store.js';
import type { KeyRecord } from '../../key-record.js';
import type { WriteOptions, RevokedAll } from '../../key-store.js';
import { unknownKeyId } from '../../key-store-error.js';
import { assertNothingHidden, commandsOf } from '../hidden-rows.js';
import type { Names } from '../names.js';
import { readClaim, selectClaim } from '../claim-record.js';
import { contextParameter, contextSql } from '../context.js';
import { instantParameter, instantSql, scopesSql, searchParameter } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Executor } from '../database.js';

/**
 * Each attempt finds the keys added since the one before. Rotation refuses a revoked key, so only
 * writes by hand can continue for long.
 */
const maxAttempts = 50;

export async function revoke(
  executor: Executor,
  keyId: string,
  revokedAt: Date,
  { family, context }: { family: boolean } & WriteOptions,
): Promise<KeyRecord[]> {
  const text = revocation(executor.names, family);
  const values = [searchParameter(keyId), instantParameter(revokedAt), contextParameter(context)];
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const rows = await executor.search('revoke', { text, values });
    if (rows.length === 0 || family) await assertNothingHidden(executor, 'keys', commandsOf.change);
    if (rows.length === 0) throw unknownKeyId();
    // A rotation under way may have added a key that this statement could not see.
    const isWhole = !family || rows.every((row) => row['was_revoked'] === 'true');
    if (isWhole) return rows.map((row) => readRecord(row));
  }
  throw new Error(
    'PostgresKeyStore: revoke failed: others kept adding keys to the family meanwhile',
  );
}

function revocation(names: Names, family: boolean): string {
  // Planning the search for relatives takes longer than revoking one key, so it is only added for
  // families.
  const relatives = `recursive older as (
      select key_id, replaces from ${names.keys} where key_id = $1::text
      union select k.key_id, k.replaces from older join ${names.keys} k on k.key_id = older.replaces
    ), newer as (
      select key_id from ${names.keys} where key_id = $1::text
      union select k.key_id from newer join ${names.keys} k on k.replaces = newer.key_id
    ),`;
  const isMeant = family
    ? 'key_id in (select $1::text union select key_id from older union select key_id from newer)'
    : 'key_id = $1::text';
  // Locks in the order of ids, as everywhere, so that two statements never deadlock.
  return `with ${family ? relatives : ''} ${contextSql('$3')}, locked as (
      select key_id, revoked_at from ${names.keys}
      where ${isMeant}
      order by key_id for update
    ), revoked as (
      update ${names.keys} k set revoked_at = coalesce(k.revoked_at, ${instantSql('$2')})
      from locked, context where k.key_id = locked.key_id
      returning k.*, locked.revoked_at is not null as was_revoked
    )
    select k.was_revoked::text as was_revoked, ${selectRecord(names)} as record
    from revoked k order by k.key_id = $1::text desc, k.created_at desc, k.key_id desc`;
}

export async function revokeUser(
  executor: Executor,
  user: string,
  revokedAt: Date,
  { context }: WriteOptions = {},
): Promise<RevokedAll> {
  const { names } = executor;
  const text = `select ${names.qualified('_revoke_user')}($1::text, ${instantSql('$2')}, $3::text)
    as revoked`;
  const values = [searchParameter(user), instantParameter(revokedAt), contextParameter(context)];
  const [row] = await executor.search('revokeUser', { text, values });
  await assertNothingHidden(executor, 'keys', commandsOf.change);
  await assertNothingHidden(executor, 'claims', commandsOf.change);
  const { keys, claims } = JSON.parse(row?.['revoked'] ?? '{"keys":[],"claims":[]}') as {
    keys: string[];
    claims: string[];
  };
  return {
    keys: await recordsOf(executor, keys),
    claims: await claimsOf(executor, claims),
  };
}

async function recordsOf(executor: Executor, keyIds: readonly string[]): Promise<KeyRecord[]> {
  if (keyIds.length === 0) return [];
  const { names } = executor;
  const text = `select ${selectRecord(names)} as record from ${names.keys} k
    where k.key_id = any (${scopesSql('$1')}) order by k.created_at desc, k.key_id desc`;
  const rows = await executor.query('revokeUser', { text, values: [JSON.stringify(keyIds)] });
  return rows.map((row) => readRecord(row));
}

async function claimsOf(executor: Executor, claimIds: readonly string[]): Promise<ClaimRecord[]> {
  if (claimIds.length === 0) return [];
  const text = `select ${selectClaim()} as claim from ${executor.names.claims} c
    where c.claim_id = any (${scopesSql('$1')}) order by c.created_at desc, c.claim_id desc`;
  const rows = await executor.query('revokeUser', { text, values: [JSON.stringify(claimIds)] });
  return rows.map(readClaim);
}

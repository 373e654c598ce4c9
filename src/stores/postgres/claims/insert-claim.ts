import { ClaimError, type ClaimRecord, type StoredClaim } from '../../claim-store.js';
import type { Database } from '../database.js';
import type { Names } from '../names.js';
import { instantParameter, instantSql, metadataSql, scopesSql } from '../parameters.js';
import { readClaim, selectClaim } from './claim-record.js';

export async function insertClaim(
  database: Database,
  names: Names,
  claim: StoredClaim,
  limitMs: number,
): Promise<ClaimRecord> {
  const text = `insert into ${names.claims} as c
      (claim_id, token_digest, user_name, name, scopes, metadata, key_id, key_expires_at, created_at, expires_at, claimed_at, revoked_at)
    values ($1::text, $2::text, $3::text, $4::text, ${scopesSql('$5')}, ${metadataSql('$6')}, $7::text,
      ${['$8', '$9', '$10', '$11', '$12'].map(instantSql).join(', ')})
    on conflict do nothing
    returning ${selectClaim()} as claim`;
  const values = [
    claim.claimId,
    claim.tokenDigest,
    claim.user,
    claim.name ?? null,
    JSON.stringify(claim.scopes),
    JSON.stringify(claim.metadata),
    claim.keyId ?? null,
    ...[claim.keyExpiresAt, claim.createdAt, claim.expiresAt, claim.claimedAt, claim.revokedAt].map(
      instantParameter,
    ),
  ];
  const [row] = await database.query('createClaim', { text, values }, limitMs);
  if (!row) throw new ClaimError('duplicate_claim');
  return readClaim(row);
}

import { ClaimError, type ClaimRecord, type StoredClaim } from '../../claim-store.js';
import { instantParameter, instantSql, metadataSql, scopesSql } from '../parameters.js';
import type { Session } from '../session.js';
import { readClaim, selectClaim } from './claim-record.js';

export async function insertClaim(session: Session, claim: StoredClaim): Promise<ClaimRecord> {
  const { names } = session;
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
  const [row] = await session.query('insertClaim', { text, values });
  if (!row) throw new ClaimError('duplicate_claim');
  return readClaim(row);
}

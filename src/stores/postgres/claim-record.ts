import type { ClaimRecord, StoredClaim } from '../claim-store.js';
import type { Row } from './database.js';
import { end, instant, milliseconds, text, texts, type JsonFields } from './json-fields.js';

/**
 * The link of row `c` as one JSON text. In a database that is not yet upgraded, it has no allowed
 * addresses.
 */
export function selectClaim(c = 'c'): string {
  return `(select (
    select pg_catalog.json_build_object(
      'claimId', ${c}.claim_id, 'user', ${c}.user_name, 'name', ${c}.name,
      'scopes', ${c}.scopes, 'metadata', ${c}.metadata, 'keyId', ${c}.key_id,
      'keyExpiresAt', ${milliseconds(`${c}.key_expires_at`)}, 'allowedAddresses', allowed_addresses,
      'createdAt', ${milliseconds(`${c}.created_at`)},
      'expiresAt', ${milliseconds(`${c}.expires_at`)},
      'claimedAt', ${milliseconds(`${c}.claimed_at`)},
      'revokedAt', ${milliseconds(`${c}.revoked_at`)}
    )::text from (select ${c}.*) present)
    from (select null::text[] as allowed_addresses) absent)`;
}

export function readClaim(row: Row): ClaimRecord {
  const found = JSON.parse(row['claim'] ?? '{}') as JsonFields;
  const never = new Date(Number.NaN);
  return {
    claimId: found['claimId'] as string,
    user: found['user'] as string,
    ...text('name', found),
    scopes: found['scopes'] as string[],
    metadata: found['metadata'] as Record<string, unknown>,
    ...end('keyExpiresAt', found),
    ...texts('allowedAddresses', found),
    createdAt: instant('createdAt', found).createdAt ?? never,
    expiresAt: instant('expiresAt', found).expiresAt ?? never,
    ...instant('claimedAt', found),
    ...text('keyId', found),
    ...instant('revokedAt', found),
  };
}

export function readStoredClaim(row: Row): StoredClaim {
  return { ...readClaim(row), tokenDigest: row['token_digest'] ?? '' };
}

import type { ClaimRecord } from '../../claim-store.js';
import type { Row } from '../database.js';
import { instant, text } from '../record.js';

/** The link of row `c` as one JSON text, which reads the same through every client. */
export function selectClaim(c = 'c'): string {
  const milliseconds = (column: string) => `extract(epoch from ${c}.${column}) * 1000`;
  return `json_build_object(
    'claimId', ${c}.claim_id, 'user', ${c}.user_name, 'name', ${c}.name,
    'scopes', ${c}.scopes, 'metadata', ${c}.metadata, 'keyId', ${c}.key_id,
    'keyExpiresAt', ${milliseconds('key_expires_at')}, 'createdAt', ${milliseconds('created_at')},
    'expiresAt', ${milliseconds('expires_at')}, 'claimedAt', ${milliseconds('claimed_at')},
    'revokedAt', ${milliseconds('revoked_at')}
  )::text`;
}

export function readClaim(row: Row): ClaimRecord {
  const found = JSON.parse(row['claim'] ?? '{}') as Record<string, unknown>;
  const never = new Date(Number.NaN);
  return {
    claimId: found['claimId'] as string,
    user: found['user'] as string,
    ...text('name', found),
    scopes: found['scopes'] as string[],
    metadata: found['metadata'] as Record<string, unknown>,
    // `infinity` is how PostgreSQL writes "never".
    ...(found['keyExpiresAt'] !== 'Infinity' && instant('keyExpiresAt', found)),
    createdAt: instant('createdAt', found).createdAt ?? never,
    expiresAt: instant('expiresAt', found).expiresAt ?? never,
    ...instant('claimedAt', found),
    ...text('keyId', found),
    ...instant('revokedAt', found),
  };
}

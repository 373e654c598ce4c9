import type { KeyRecord, StoredKey } from '../key-record.js';
import type { Row } from './driver.js';
import type { Names } from './names.js';
import { addresses, instant, readJson, readTime, text } from './values.js';

/** The columns of the record of row `k`, without its digest. */
export const recordColumns = (names: Names): string =>
  `k.key_id, k.user_name, k.name, k.scopes, k.metadata, k.created_at, k.last_used_at, k.expires_at,
    k.revoked_at, k.paused_at, k.paused_until, k.allowed_addresses, k.replaces, k.overlap_ms,
    (select s.key_id from ${names.keys} s where s.replaces = k.key_id) as replaced_by`;

/** The record in a row. A field broken by hand stays broken: the manager checks it. */
export function readRecord(row: Row): KeyRecord {
  const overlapMs = row['overlap_ms'];
  return {
    keyId: row['key_id'] as string,
    user: row['user_name'] as string,
    ...text('name', row['name']),
    scopes: readJson(row['scopes']) as string[],
    metadata: readJson(row['metadata']) as Record<string, unknown>,
    createdAt: readTime(row['created_at']),
    ...instant('lastUsedAt', row['last_used_at']),
    ...instant('expiresAt', row['expires_at']),
    ...instant('revokedAt', row['revoked_at']),
    ...instant('pausedAt', row['paused_at']),
    ...instant('pausedUntil', row['paused_until']),
    ...addresses(row['allowed_addresses']),
    ...text('replaces', row['replaces']),
    ...text('replacedBy', row['replaced_by']),
    ...(overlapMs != null && { overlapMs: Number(overlapMs) }),
  };
}

export const readStoredKey = (row: Row): StoredKey => ({
  ...readRecord(row),
  digest: row['digest'] as string,
});

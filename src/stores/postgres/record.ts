import type { KeyRecord, StoredKey } from '../key-record.js';
import type { Row } from './database.js';
import { end, instant, milliseconds, text, texts, type JsonFields } from './json-fields.js';
import type { Names } from './names.js';

/**
 * The record of row `k` as one JSON text. Columns of version 4 are named without their row. In a
 * database that is not yet upgraded they come from `absent`, so keys keep working while processes
 * of two versions run.
 */
export function selectRecord(names: Names, k = 'k'): string {
  return `(select (
    select pg_catalog.json_build_object(
      'keyId', ${k}.key_id, 'user', ${k}.user_name, 'name', ${k}.name,
      'scopes', ${k}.scopes, 'metadata', ${k}.metadata,
      'createdAt', ${milliseconds(`${k}.created_at`)},
      'lastUsedAt', ${milliseconds(`${k}.last_used_at`)},
      'expiresAt', ${milliseconds(`${k}.expires_at`)},
      'revokedAt', ${milliseconds(`${k}.revoked_at`)},
      'pausedAt', ${milliseconds('paused_at')}, 'pausedUntil', ${milliseconds('paused_until')},
      'allowedAddresses', allowed_addresses,
      'replaces', ${k}.replaces, 'overlapMs', ${k}.overlap_ms,
      'replacedBy', (select s.key_id from ${names.keys} s where s.replaces = ${k}.key_id)
    )::text from (select ${k}.*) present)
    from (select null::timestamptz as paused_at, null::timestamptz as paused_until,
      null::text[] as allowed_addresses) absent)`;
}

/** The record in a column of a row. A field broken by hand stays broken: the manager checks it. */
export const readRecord = (row: Row, column = 'record'): KeyRecord =>
  recordOf(JSON.parse(row[column] ?? '{}') as JsonFields);

export function recordOf(found: JsonFields): KeyRecord {
  return {
    keyId: found['keyId'] as string,
    user: (found['user'] ?? '') as string,
    ...text('name', found),
    scopes: (found['scopes'] ?? []) as string[],
    metadata: (found['metadata'] ?? {}) as Record<string, unknown>,
    createdAt: instant('createdAt', found).createdAt ?? new Date(Number.NaN),
    ...instant('lastUsedAt', found),
    ...end('expiresAt', found),
    ...instant('revokedAt', found),
    ...instant('pausedAt', found),
    ...end('pausedUntil', found),
    ...texts('allowedAddresses', found),
    ...text('replaces', found),
    ...text('replacedBy', found),
    ...(typeof found['overlapMs'] === 'number' && { overlapMs: found['overlapMs'] }),
  };
}

export function readStoredKey(row: Row): StoredKey {
  return { ...readRecord(row), digest: row['digest'] ?? '' };
}

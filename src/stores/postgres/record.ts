import type { KeyRecord, StoredKey } from '../key-record.js';
import type { Row } from './database.js';
import { end, instant, milliseconds, text, type JsonFields } from './json-fields.js';
import type { Names } from './names.js';

/** The record of row `k` as one JSON text. */
export function selectRecord(names: Names, k = 'k'): string {
  return `pg_catalog.json_build_object(
    'keyId', ${k}.key_id, 'user', ${k}.user_name, 'name', ${k}.name,
    'scopes', ${k}.scopes, 'metadata', ${k}.metadata,
    'createdAt', ${milliseconds(`${k}.created_at`)}, 'lastUsedAt', ${milliseconds(`${k}.last_used_at`)},
    'expiresAt', ${milliseconds(`${k}.expires_at`)}, 'revokedAt', ${milliseconds(`${k}.revoked_at`)},
    'replaces', ${k}.replaces, 'overlapMs', ${k}.overlap_ms,
    'replacedBy', (select s.key_id from ${names.keys} s where s.replaces = ${k}.key_id)
  )::text`;
}

/** The record in a column of a row. What was broken by hand comes out broken: who decides on a key checks it. */
export function readRecord(row: Row, column = 'record'): KeyRecord {
  const found = JSON.parse(row[column] ?? '{}') as JsonFields;
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
    ...text('replaces', found),
    ...text('replacedBy', found),
    ...(typeof found['overlapMs'] === 'number' && { overlapMs: found['overlapMs'] }),
  };
}

export function readStoredKey(row: Row): StoredKey {
  return { ...readRecord(row), digest: row['digest'] ?? '' };
}

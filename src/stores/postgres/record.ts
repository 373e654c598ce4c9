import type { KeyRecord, StoredKey } from '../key-store.js';
import type { Row } from './database.js';
import type { Names } from './names.js';

/** The latest and the earliest instant that a Date can hold, in milliseconds. */
const maxDateMs = 8.64e15;

/**
 * The record of row `k` as one JSON text. A text reads the same through every client, whatever parsers an application has set for
 * timestamps, numbers or arrays.
 */
export function selectRecord(names: Names, k = 'k'): string {
  const milliseconds = (column: string) => `extract(epoch from ${k}.${column}) * 1000`;
  return `json_build_object(
    'keyId', ${k}.key_id, 'user', ${k}.user_name, 'name', ${k}.name,
    'scopes', ${k}.scopes, 'metadata', ${k}.metadata,
    'createdAt', ${milliseconds('created_at')}, 'lastUsedAt', ${milliseconds('last_used_at')},
    'expiresAt', ${milliseconds('expires_at')}, 'revokedAt', ${milliseconds('revoked_at')},
    'replaces', ${k}.replaces, 'overlapMs', ${k}.overlap_ms,
    'replacedBy', (select s.key_id from ${names.keys} s where s.replaces = ${k}.key_id)
  )::text`;
}

/** The record in a column of a row. What was broken by hand comes out broken: who decides on a key checks it. */
export function readRecord(row: Row, column = 'record'): KeyRecord {
  const found = JSON.parse(row[column] ?? '{}') as Record<string, unknown>;
  return {
    keyId: found['keyId'] as string,
    user: (found['user'] ?? '') as string,
    ...text('name', found),
    scopes: (found['scopes'] ?? []) as string[],
    metadata: (found['metadata'] ?? {}) as Record<string, unknown>,
    createdAt: dateOf(found['createdAt']) ?? new Date(Number.NaN),
    ...instant('lastUsedAt', found),
    // `infinity` is how PostgreSQL writes "never".
    ...(found['expiresAt'] !== 'Infinity' && instant('expiresAt', found)),
    ...instant('revokedAt', found),
    ...text('replaces', found),
    ...text('replacedBy', found),
    ...(typeof found['overlapMs'] === 'number' && { overlapMs: found['overlapMs'] }),
  };
}

export function readStoredKey(row: Row): StoredKey {
  return { ...readRecord(row), digest: row['digest'] ?? '' };
}

export function text<Name extends string>(
  name: Name,
  found: Record<string, unknown>,
): { [N in Name]?: string } {
  const value = found[name];
  return (typeof value === 'string' ? { [name]: value } : {}) as { [N in Name]?: string };
}

export function instant<Name extends string>(
  name: Name,
  found: Record<string, unknown>,
): { [N in Name]?: Date } {
  const date = dateOf(found[name]);
  return (date ? { [name]: date } : {}) as { [N in Name]?: Date };
}

/** Infinite and far instants become the outermost ones that a Date can hold: `-infinity` is past, not absent. */
function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  return new Date(Math.min(maxDateMs, Math.max(-maxDateMs, Math.round(Number(value)))));
}

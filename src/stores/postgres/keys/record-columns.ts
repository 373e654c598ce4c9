import type { StoredKey } from '../../key-record.js';
import type { Row } from '../database.js';
import type { Names } from '../names.js';
import { recordOf } from '../record.js';

/** The columns of version 4, for a database that is not yet upgraded, as in `selectRecord`. */
export const absentColumns = `(select null::timestamptz as paused_at,
      null::timestamptz as paused_until, null::text[] as allowed_addresses) absent`;

/**
 * The columns of row `k`, each as text. One JSON text for each row would take the server four
 * times as long, and the client parses it no faster. Columns of version 4 are named without their
 * row.
 */
export const columns = (names: Names): string => `k.digest, k.key_id, k.user_name, k.name,
      ${json('k.scopes')} as scopes, k.metadata::text as metadata,
      ${seconds('k.created_at')} as created_at, ${seconds('k.last_used_at')} as last_used_at,
      ${seconds('k.expires_at')} as expires_at, ${seconds('k.revoked_at')} as revoked_at,
      ${seconds('paused_at')} as paused_at, ${seconds('paused_until')} as paused_until,
      ${json('allowed_addresses')} as allowed_addresses,
      k.replaces, k.overlap_ms::text as overlap_ms,
      (select s.key_id from ${names.keys} s where s.replaces = k.key_id) as replaced_by`;

/** The number of columns. */
export const columnCount = 16;

/**
 * Reads a record. A field broken by hand stays broken for the manager to check, or throws if it
 * cannot be parsed.
 */
export const readColumns = (row: Row): StoredKey => ({
  ...recordOf({
    keyId: row['key_id'],
    user: row['user_name'],
    name: row['name'],
    scopes: parse(row['scopes']),
    metadata: parse(row['metadata']),
    createdAt: instantOf(row['created_at']),
    lastUsedAt: instantOf(row['last_used_at']),
    expiresAt: instantOf(row['expires_at']),
    revokedAt: instantOf(row['revoked_at']),
    pausedAt: instantOf(row['paused_at']),
    pausedUntil: instantOf(row['paused_until']),
    allowedAddresses: parse(row['allowed_addresses']),
    replaces: row['replaces'],
    replacedBy: row['replaced_by'],
    overlapMs: row['overlap_ms'] == null ? null : Number(row['overlap_ms']),
  }),
  digest: row['digest'] ?? '',
});

const seconds = (column: string) => `extract(epoch from ${column})::text`;
const json = (column: string) => `pg_catalog.array_to_json(${column})::text`;

const parse = (text: string | null | undefined): unknown =>
  text == null ? undefined : JSON.parse(text);

/** In milliseconds. Infinite values stay texts. */
const instantOf = (text: string | null | undefined): number | string | undefined =>
  text == null ? undefined : text.endsWith('Infinity') ? text : Number(text) * 1_000;

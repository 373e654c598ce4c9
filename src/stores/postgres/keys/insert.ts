import type { KeyRecord, StoredKey } from '../../key-record.js';
import { duplicateKey } from '../../key-store-error.js';
import { instantParameter, instantSql, metadataSql, scopesSql } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Session } from '../session.js';

export async function insert(session: Session, key: StoredKey): Promise<KeyRecord> {
  const { names } = session;
  // A conflict as no row instead of an error: it leaves a transaction that the caller may be in intact, and names no digest.
  const text = `insert into ${names.keys} as k
      (key_id, user_name, name, digest, scopes, metadata, created_at, last_used_at, expires_at, revoked_at, replaces, overlap_ms)
    values ($1::text, $2::text, $3::text, $4::text, ${scopesSql('$5')}, ${metadataSql('$6')},
      ${['$7', '$8', '$9', '$10'].map(instantSql).join(', ')}, $11::text, $12::text::bigint)
    on conflict do nothing
    returning ${selectRecord(names)} as record`;
  const values = [
    key.keyId,
    key.user,
    key.name ?? null,
    key.digest,
    JSON.stringify(key.scopes),
    JSON.stringify(key.metadata),
    instantParameter(key.createdAt),
    instantParameter(key.lastUsedAt),
    instantParameter(key.expiresAt),
    instantParameter(key.revokedAt),
    key.replaces ?? null,
    key.overlapMs === undefined ? null : String(key.overlapMs),
  ];
  const [row] = await session.query('insert', { text, values });
  if (!row) throw duplicateKey();
  return readRecord(row);
}

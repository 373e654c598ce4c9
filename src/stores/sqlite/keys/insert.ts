import type { KeyRecord, StoredKey } from '../../key-record.js';
import type { KeyLimit } from '../../key-store.js';
import { duplicateKey } from '../../key-store-error.js';
import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { addressesText, optionalTime, storable, timeText } from '../values.js';
import { existing } from './find.js';
import { assertWithinLimit } from './limit.js';

export function insert(
  connection: Connection,
  names: Names,
  key: StoredKey,
  limit?: KeyLimit,
): KeyRecord {
  const added = connection.all(
    `insert into ${names.keys}
      (key_id, user_name, name, digest, scopes, metadata, created_at, last_used_at, expires_at,
        revoked_at, replaces, overlap_ms, paused_at, paused_until, allowed_addresses)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict do nothing returning key_id`,
    storable(key.keyId),
    storable(key.user),
    storable(key.name ?? null),
    key.digest,
    JSON.stringify(key.scopes),
    JSON.stringify(key.metadata),
    timeText(key.createdAt),
    optionalTime(key.lastUsedAt),
    optionalTime(key.expiresAt),
    optionalTime(key.revokedAt),
    storable(key.replaces ?? null),
    key.overlapMs ?? null,
    optionalTime(key.pausedAt),
    optionalTime(key.pausedUntil),
    addressesText(key.allowedAddresses),
  );
  if (added.length === 0) throw duplicateKey();
  const record = existing(connection, names, key.keyId);
  assertWithinLimit(connection, names, record, limit);
  return record;
}

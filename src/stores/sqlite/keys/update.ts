import { isDeepStrictEqual } from 'node:util';
import type { KeyRecord } from '../../key-record.js';
import type { KeyUpdate, KeyLimit } from '../../key-store.js';
import { endsWithOverlap } from '../../key-store-error.js';
import type { Connection, SqliteValue } from '../driver.js';
import type { Names } from '../names.js';
import { addressesText, optionalTime, storable } from '../values.js';
import { existing } from './find.js';
import { assertWithinLimit } from './limit.js';
import { write } from './write.js';

export function update(
  connection: Connection,
  names: Names,
  keyId: string,
  { name, scopes, expiresAt, metadata, user, allowedAddresses }: KeyUpdate,
  limit?: KeyLimit,
): KeyRecord {
  const old = existing(connection, names, keyId);
  const columns: Record<string, SqliteValue> = {};
  // Equal values are not written, because they would leave an event.
  if (name !== undefined && name !== (old.name ?? null)) columns['name'] = storable(name);
  if (scopes && !isDeepStrictEqual(scopes, old.scopes)) columns['scopes'] = JSON.stringify(scopes);
  if (metadata && !isDeepStrictEqual(metadata, old.metadata))
    columns['metadata'] = JSON.stringify(metadata);
  if (user !== undefined && user !== old.user) columns['user_name'] = storable(user);
  if (allowedAddresses && !isDeepStrictEqual(allowedAddresses, old.allowedAddresses ?? []))
    columns['allowed_addresses'] = addressesText(allowedAddresses);
  if (expiresAt !== undefined && expiresAt?.getTime() !== old.expiresAt?.getTime()) {
    if (old.replacedBy !== undefined && endOf(expiresAt) > endOf(old.expiresAt))
      throw endsWithOverlap();
    columns['expires_at'] = optionalTime(expiresAt);
  }
  const record = write(connection, names, keyId, columns);
  if ('user_name' in columns) assertWithinLimit(connection, names, record, limit);
  return record;
}

const endOf = (expiresAt: Date | null | undefined) =>
  expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;

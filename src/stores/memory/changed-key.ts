import type { StoredKey } from '../key-record.js';
import type { KeyUpdate } from '../key-store.js';

/** A record after an update. */
export function withChanges(old: StoredKey, changes: KeyUpdate): StoredKey {
  const { name: oldName, expiresAt: oldExpiresAt, allowedAddresses: oldAddresses, ...rest } = old;
  const { name = oldName, expiresAt = oldExpiresAt, allowedAddresses = oldAddresses } = changes;
  const { scopes, metadata, user } = changes;
  return {
    ...rest,
    ...(scopes && { scopes }),
    ...(metadata && { metadata }),
    ...(user !== undefined && { user }),
    ...(name != null && { name }),
    ...(expiresAt != null && { expiresAt }),
    ...(allowedAddresses?.length && { allowedAddresses }),
  };
}

/** What a successor inherits from the key that it replaces. A pause is not inherited. */
export function inheritedFrom(old: StoredKey): StoredKey {
  const {
    lastUsedAt: _lastUsedAt,
    overlapMs: _overlapMs,
    replaces: _replaces,
    pausedAt: _pausedAt,
    pausedUntil: _pausedUntil,
    ...inherited
  } = old;
  return inherited;
}

export const endOf = (expiresAt: Date | null | undefined) =>
  expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;

/**
 * The record with an earlier end: the deadline, in milliseconds since 1970, unless the key
 * already ends before it.
 */
export function endingAt(key: StoredKey, deadline: number): StoredKey {
  return { ...key, expiresAt: new Date(Math.min(deadline, endOf(key.expiresAt))) };
}

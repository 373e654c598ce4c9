/**
 * Why a store or a manager cannot do what was asked, if the caller is at fault.
 *
 * - `unknown_key_id`: no record has the key id, or the cursor's.
 * - `unknown_event_id`: no event has the cursor's id.
 * - `duplicate_key`: the key id or the key is taken.
 * - `key_not_usable`: the key is revoked or expired.
 * - `already_rotated`: the key has a successor. It can neither be rotated again nor end later.
 * - `too_many_keys`: the user would have more keys than `maxKeysPerUser`.
 * - `lifetime_too_long`: the key would live longer than `maxLifetimeMs`.
 * - `not_supported`: the store cannot do this.
 */
export type KeyStoreErrorCode =
  | 'unknown_key_id'
  | 'unknown_event_id'
  | 'duplicate_key'
  | 'key_not_usable'
  | 'already_rotated'
  | 'too_many_keys'
  | 'lifetime_too_long'
  | 'not_supported';

/** A store or a manager cannot do what was asked. Holds neither key nor digest. */
export class KeyStoreError extends Error {
  /** Tells this error from others in logs. */
  override readonly name = 'KeyStoreError';
  /** The reason, for programs. */
  readonly code: KeyStoreErrorCode;

  /** Makes an error for a store of your own. The message must hold neither key nor digest. */
  constructor(code: KeyStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export const unknownKeyId = () =>
  new KeyStoreError('unknown_key_id', 'there is no record with this key id');

export const duplicateKey = () =>
  new KeyStoreError('duplicate_key', 'a record with this key id or this key exists already');

export const alreadyRotated = () =>
  new KeyStoreError('already_rotated', 'the key has a successor already');

export const endsWithOverlap = () =>
  new KeyStoreError(
    'already_rotated',
    'a key that was rotated ends when its overlap does, not later',
  );

export const keyNotUsable = () =>
  new KeyStoreError('key_not_usable', 'the key is revoked or expired; create a new one instead');

export const unknownEventId = () =>
  new KeyStoreError('unknown_event_id', 'there is no event with this id');

export const tooManyKeys = () =>
  new KeyStoreError('too_many_keys', 'the user has as many keys as are allowed');

export const notSupported = (what: string) =>
  new KeyStoreError('not_supported', `this key store cannot ${what}`);

export const lifetimeTooLong = () =>
  new KeyStoreError(
    'lifetime_too_long',
    'the key would live longer than "maxLifetimeMs" allows; give an earlier "expiresAt"',
  );

/** The store answered, but one record cannot be read. The store and its other records are fine. */
export class BrokenRecordError extends Error {
  override readonly name = 'BrokenRecordError';
}

import { KeyStoreError } from './key-store.js';

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

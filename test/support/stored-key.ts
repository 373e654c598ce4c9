import { generateApiKey } from '../../src/index.js';
import type { StoredKey } from '../../src/stores/key-record.js';

/** A record of a new key, with no more than a record must have. */
export function storedKey(parts: Partial<StoredKey> = {}): StoredKey {
  const { keyId, digest } = generateApiKey();
  const createdAt = new Date('2026-01-02T03:04:05.678Z');
  return { keyId, digest, user: 'alice', scopes: [], metadata: {}, createdAt, ...parts };
}

/** What a rotation puts in a key's place. */
export function successor(createdAt = new Date()): {
  keyId: string;
  digest: string;
  createdAt: Date;
} {
  const { keyId, digest } = generateApiKey();
  return { keyId, digest, createdAt };
}

/** The record as a store gives it out: without the digest. */
export function recordOf({ digest: _digest, ...record }: StoredKey): Omit<StoredKey, 'digest'> {
  return record;
}

import assert from 'node:assert/strict';
import { types } from 'node:util';
import { generateApiKey } from '../keys/key-format.js';
import { type KeyRecord, type StoredKey } from '../stores/key-record.js';
import { KeyStoreError, type KeyStoreErrorCode } from '../stores/key-store-error.js';
import { type Successor } from '../stores/key-store.js';

const start = Date.UTC(2030, 0, 1);

/** An instant of the contract's own time line, in milliseconds after its start. */
export const at = (ms: number) => new Date(start + ms);

export function makeKey(fields: Partial<StoredKey> = {}): StoredKey {
  const { keyId, digest } = generateApiKey();
  return { keyId, digest, user: 'alice', scopes: [], metadata: {}, createdAt: at(0), ...fields };
}

export function successorOf(createdAt: Date): Successor {
  const { keyId, digest } = generateApiKey();
  return { keyId, digest, createdAt };
}

export async function rejectsWith(
  code: KeyStoreErrorCode,
  promise: Promise<unknown>,
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof KeyStoreError, `rejects with a KeyStoreError, not ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  });
}

/**
 * Changes every time, list and object in there, as a caller may do with what it gave or was given.
 */
export function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (types.isDate(value)) return void value.setTime(0);
  for (const part of Object.values(value)) spoil(part);
  // Not by assignment, which throws on what a store has frozen.
  Reflect.set(value, Array.isArray(value) ? value.length : 'spoilt', 'spoilt');
}

export const idsOf = (records: readonly KeyRecord[]) => records.map(({ keyId }) => keyId);

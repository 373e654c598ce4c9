import type { ApiKeyManager } from '../../manager/api-key-manager.js';
import { statusOf } from '../../stores/key-record.js';
import { type KeyRecord } from '../../stores/key-record.js';
import { KeyStoreError } from '../../stores/key-store-error.js';
import { Failure } from '../failure.js';

const isUsable = (record: KeyRecord) =>
  !['expired', 'revoked'].includes(statusOf(record, new Date()));

/** The usable keys that took over from this one, one after the other. */
export async function usableSuccessors(
  keys: ApiKeyManager,
  record: KeyRecord,
): Promise<KeyRecord[]> {
  const found: KeyRecord[] = [];
  for await (const successor of successorsOf(keys, record))
    if (isUsable(successor)) found.push(successor);
  return found;
}

async function* successorsOf(
  keys: ApiKeyManager,
  { replacedBy }: KeyRecord,
): AsyncGenerator<KeyRecord> {
  let next = replacedBy;
  while (next !== undefined) {
    const record = await keys.get(next);
    if (!record) return;
    yield record;
    next = record.replacedBy;
  }
}

/**
 * For the `catch` of a change that a successor rules out: names it, and says what to do with it.
 */
export const explainSuccessor =
  (keys: ApiKeyManager, keyId: string, advice: string) =>
  async (error: unknown): Promise<never> => {
    if (!(error instanceof KeyStoreError) || error.code !== 'already_rotated') throw error;
    const record = await keys.get(keyId);
    const last = record && (await usableSuccessors(keys, record)).at(-1);
    const next = last
      ? `its successor is ${last.keyId}: ${advice}`
      : 'no successor of it works any more: create a new key';
    throw new Failure(`${error.message}; ${next}`, { cause: error });
  };

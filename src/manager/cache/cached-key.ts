import { createApiKey } from '../../keys/api-key.js';
import type { VerifyResult } from '../../keys/key-source.js';
import { ownAnswer } from '../../keys/own-source.js';
import { AddressList } from '../../lib/addresses.js';
import { deepCopy, deepFreeze, fixedDate, isValidDate } from '../../lib/values.js';
import { isName, isScopes } from '../../lib/options.js';
import type { StoredKey } from '../../stores/key-record.js';
import type { LastUse } from './last-used-recorder.js';
import type { UseCount } from './use-counts.js';

/**
 * A known key in the cache: everything that a verdict needs, and nothing that could be presented.
 */
export interface CachedKey {
  readonly keyId: string;
  readonly user: string;
  readonly expiresAt: Date | undefined;
  readonly revokedAt: Date | undefined;
  readonly pausedAt: Date | undefined;
  readonly pausedUntil: Date | undefined;
  /** The addresses that may use the key. `undefined` for any. */
  readonly addresses: AddressList | undefined;
  /** Whether another key has replaced this one. Its use after the deadline is then reported. */
  readonly isReplaced: boolean;
  readonly lastUse: LastUse;
  readonly uses: UseCount;
  /** The answer while the key is usable. */
  readonly admitted: VerifyResult;
}

/**
 * Turns a stored record into a key for verdicts.
 *
 * @throws {Error} if the record is invalid. A record broken by hand must only affect its own key.
 */
export function toCachedKey(stored: StoredKey, digest: string, source: string): CachedKey {
  const { keyId, user, name, scopes, createdAt, replaces, replacedBy, overlapMs } = stored;
  const problem = problemOf(stored, digest);
  if (problem) throw new Error(`the record of ${printable(keyId)} is broken: ${problem}`);
  const metadata = deepFreeze(deepCopy(stored.metadata ?? {}));
  const expiresAt = stored.expiresAt ?? undefined;
  const dates = { createdAt: fixedDate(createdAt), expiresAt: expiresAt && fixedDate(expiresAt) };
  const apiKey = createApiKey({ keyId, user, name, scopes, source, ...dates, metadata });
  return {
    keyId,
    user,
    // Copied, because the store may change its own dates.
    expiresAt: expiresAt && new Date(expiresAt),
    revokedAt: stored.revokedAt ?? undefined,
    pausedAt: stored.pausedAt ?? undefined,
    pausedUntil: stored.pausedUntil ? new Date(stored.pausedUntil) : undefined,
    addresses: stored.allowedAddresses?.length
      ? AddressList.from(stored.allowedAddresses)
      : undefined,
    isReplaced: replacedBy != null,
    lastUse: {
      keyId,
      ends: overlapMs == null ? undefined : (replaces ?? undefined),
      usedAt: 0,
      isPending: false,
    },
    uses: { keyId, user, admitted: 0, refused: 0, isPending: false },
    admitted: ownAnswer({ ok: true, apiKey }),
  };
}

function problemOf(stored: StoredKey, digest: string): string | undefined {
  if (stored.digest !== digest) return 'its digest is not the one it was found by';
  if (typeof stored.keyId !== 'string' || stored.keyId === '') return 'it has no key id';
  // Users appear in logs.
  if (!isName(stored.user)) return 'it has no user, or one with control characters';
  if (!isScopes(stored.scopes)) return 'its scopes are not an array of scopes';
  if (typeof (stored.metadata ?? {}) !== 'object' || Array.isArray(stored.metadata))
    return 'its metadata is not an object';
  if (stored.name != null && typeof stored.name !== 'string') return 'its name is not text';
  if (!isValidDate(stored.createdAt)) return 'its creation is not a time';
  if (stored.expiresAt != null && !isValidDate(stored.expiresAt)) return 'its expiry is not a time';
  if (stored.revokedAt != null && !isValidDate(stored.revokedAt))
    return 'its revocation is not a time';
  if (stored.pausedAt != null && !isValidDate(stored.pausedAt)) return 'its pause is not a time';
  if (stored.pausedUntil != null && !isValidDate(stored.pausedUntil))
    return 'the end of its pause is not a time';
  const rules: unknown = stored.allowedAddresses;
  if (rules != null && !(Array.isArray(rules) && AddressList.from(rules)))
    return 'its allowed addresses are not a list of addresses';
  return undefined;
}

const printable = (keyId: unknown) => (typeof keyId === 'string' ? keyId : 'a key without an id');

import type { ApiKeyManager } from '../manager/api-key-manager.js';
import { claimStatusOf, type ClaimRecord } from '../stores/claim-store.js';
import { statusOf, type KeyRecord } from '../stores/key-record.js';

// By the clock of the manager, which decides by it: with another one, a page would call a key
// active that is refused.

/** Adds to each key record what it is now. */
export const describeKeys = (keys: ApiKeyManager) => {
  const now = new Date(keys.clock());
  return (record: KeyRecord) => ({ ...record, status: statusOf(record, now) });
};

/** Adds to each record of a claim link what it is now. */
export const describeClaims = (keys: ApiKeyManager) => {
  const now = new Date(keys.clock());
  return (claim: ClaimRecord) => ({ ...claim, status: claimStatusOf(claim, now) });
};

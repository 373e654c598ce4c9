import type { ApiKeyManager } from '../manager/api-key-manager.js';
import { claimStatusOf, type ClaimRecord } from '../stores/claim-store.js';
import { statusOf, type KeyRecord } from '../stores/key-record.js';

// By the clock of the manager, which decides. With another clock, a page could call a refused key
// active.

/** Adds the current status to each key record. */
export const describeKeys = (keys: ApiKeyManager) => {
  const now = new Date(keys.clock());
  return (record: KeyRecord) => ({ ...record, status: statusOf(record, now) });
};

/** Adds the current status to each record of a claim link. */
export const describeClaims = (keys: ApiKeyManager) => {
  const now = new Date(keys.clock());
  return (claim: ClaimRecord) => ({ ...claim, status: claimStatusOf(claim, now) });
};

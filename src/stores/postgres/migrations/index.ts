import { createKeys } from './001-keys.js';
import { endPredecessors } from './002-first-use.js';
import { announceChanges } from './003-announcements.js';
import { createClaims } from './004-claims.js';
import { announceReplicated } from './005-replicated.js';
import { checkClaimsFaster } from './006-claims-check.js';
import { validateClaimsCheck } from './007-claims-checked.js';
import { endPredecessorsLate } from './008-any-first-use.js';
import type { Migration } from './migration.js';

/** All steps, by version, without a gap. */
export const migrations: readonly Migration[] = [
  createKeys,
  endPredecessors,
  announceChanges,
  createClaims,
  announceReplicated,
  checkClaimsFaster,
  validateClaimsCheck,
  endPredecessorsLate,
];

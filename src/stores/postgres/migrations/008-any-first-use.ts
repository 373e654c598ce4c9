import { endPredecessors } from './002-first-use.js';
import type { Migration } from './migration.js';

/**
 * Makes the trigger of step 2 anew, which once looked for keys that had not been used: one whose first use was written while the
 * trigger was off would never have ended its predecessor.
 */
export const endPredecessorsLate: Migration = {
  version: 8,
  sql: (names) => `drop trigger if exists first_use on ${names.keys};${endPredecessors.sql(names)}`,
};

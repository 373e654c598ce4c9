import type { Migration } from './migration.js';

/** Apart from the step before, which ends with its strong lock. */
export const validateClaimsCheck: Migration = {
  version: 7,
  sql: (names) => `alter table ${names.claims} validate constraint ${names.local('_claims_digest_check')};`,
};

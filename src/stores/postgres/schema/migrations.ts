import { createKeys } from './001-keys.js';
import { createClaims } from './002-claims.js';
import { addTriggers } from './003-triggers.js';
import { addHistory } from './004-history.js';
import type { Migration } from './migration.js';

/** All steps by version, without a gap. */
export const migrations: readonly Migration[] = [createKeys, createClaims, addTriggers, addHistory];

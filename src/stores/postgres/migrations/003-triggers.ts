import { createTriggers } from '../schema/triggers.js';
import type { Migration } from '../schema/migration.js';

/**
 * What announces changes, and ends an old key at the first use of its successor. When one of them has to change after this was
 * published, the SQL that was published moves in here, and a step of its own replaces the triggers. Processes of a
 * version that knows other triggers trust cached keys for `cacheTtlMs` only.
 */
export const addTriggers: Migration = { version: 3, sql: createTriggers };

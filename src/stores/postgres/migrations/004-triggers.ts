import type { Migration } from '../schema/migration.js';
import { createTriggers, dropTriggers } from '../schema/triggers.js';

/**
 * The triggers of today. When one of them has to change after this was published, the SQL that was published moves in here, and a step
 * of its own replaces the triggers.
 */
export const replaceTriggers: Migration = {
  version: 4,
  sql: (names) => `
    ${dropTriggers(names)}
    ${createTriggers(names)}`,
};

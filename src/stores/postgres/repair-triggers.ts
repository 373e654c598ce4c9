import type { Names } from './names.js';
import { createTriggers, dropTriggers } from './triggers/triggers.js';

/** Creates all triggers of an up-to-date table again, whatever has become of them. */
export const repairTriggers = (names: Names): string => `
    ${dropTriggers(names)}
    ${createTriggers(names)}`;

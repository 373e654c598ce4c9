import type { Names } from '../names.js';
import { triggerNames } from '../triggers.js';
import { endPredecessors } from './002-first-use.js';
import { announceChanges } from './003-announcements.js';
import { announceReplicated } from './005-replicated.js';

/** Makes all triggers of an up-to-date table anew, whatever has become of them. */
export const mendTriggers = (names: Names): string => `
    ${triggerNames.map((name) => `drop trigger if exists ${name} on ${names.keys};`).join('\n    ')}
    ${[endPredecessors, announceChanges, announceReplicated].map((step) => step.sql(names)).join('\n    ')}`;

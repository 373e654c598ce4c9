import type { makeChecks } from './checks.js';
import { anyOf, present, presentWrong, presentWrongSecret, type Place } from './presented-keys.js';

export interface Comparison {
  readonly check: keyof Awaited<ReturnType<typeof makeChecks>>;
  /** What the two classes of presented keys differ in. */
  readonly by: keyof typeof classes;
  /** Without it the outcome is shown, and nothing is asked of it. */
  readonly expected?: 'leak' | 'none';
}

/** Makes a presented key of one of two classes, out of the keys of a table. */
export const classes = {
  'wrong byte, first or last': (keys: readonly Buffer[], place: Place) =>
    presentWrong(anyOf(keys), place),
  'wrong byte of the one key': ([key]: readonly Buffer[], place: Place) =>
    presentWrong(key!, place),
  'wrong byte of the secret': (keys: readonly Buffer[], place: Place) =>
    presentWrongSecret(anyOf(keys), place),
  /** The control: two classes that are made alike. */
  'nothing at all': (keys: readonly Buffer[], _place: Place) => presentWrong(anyOf(keys), 'first'),
  'first or last of the keys': (keys: readonly Buffer[], place: Place) =>
    present(keys.at(place === 'first' ? 0 : -1)!),
};

export const comparisons: readonly Comparison[] = [
  { check: 'keyList', by: 'nothing at all', expected: 'none' },
  { check: 'guard', by: 'nothing at all', expected: 'none' },
  { check: 'keyList', by: 'wrong byte, first or last', expected: 'none' },
  { check: 'guard', by: 'wrong byte, first or last', expected: 'none' },
  // A key whose checksum is wrong it refuses before it looks for it.
  { check: 'manager', by: 'wrong byte of the secret', expected: 'none' },
  { check: 'keyList', by: 'first or last of the keys', expected: 'none' },
  { check: 'guard', by: 'first or last of the keys', expected: 'none' },
  { check: 'manager', by: 'first or last of the keys', expected: 'none' },
  { check: 'characters', by: 'wrong byte of the one key', expected: 'leak' },
  { check: 'loop', by: 'first or last of the keys', expected: 'leak' },
  { check: 'equals', by: 'wrong byte of the one key' },
  { check: 'plainMap', by: 'wrong byte, first or last' },
  { check: 'plainMap', by: 'first or last of the keys' },
];

import { parseDigest } from '../../keys/digest.js';
import { parseKeyPairs } from '../../sources/key-entries.js';
import { isFilled, type Environment, type KeyVariable } from './variables.js';

/** A set variable whose name hardly differs from one that is read. */
interface SimilarName {
  readonly name: string;
  /** The name that was most likely meant. */
  readonly meant: string;
}

/**
 * Finds set variables whose name is one slip away from an unset one. Without this, the advice would
 * be to make a new key, which would lock out all who hold the key under the wrong name.
 *
 * @param others the variables that are set besides those that are read
 * @param areOfOneKind whether each may be meant in place of another missing one, so that the form
 *   of the value decides
 */
export function findSimilarNames(
  unset: readonly KeyVariable[],
  others: Environment,
  areOfOneKind: boolean,
): SimilarName[] {
  return Object.entries(others).flatMap(([name, value]) => {
    if (!isFilled(value)) return [];
    const near = unset.filter((variable) => isSlip(name, variable.name));
    const [first] = near;
    if (!first) return [];
    const isList = holdsPairs(value);
    const meant = (areOfOneKind ? unset : near).find((each) => each.isList === isList) ?? first;
    return [{ name, meant: meant.name }];
  });
}

/** An underscore, a plural, an `X_` or the first words that differ, or one mistyped letter. */
function isSlip(name: string, meant: string): boolean {
  const [given, known] = [lettersOf(name), lettersOf(meant)];
  if (given === known || (given.length >= 6 && known.endsWith(given))) return true;
  return isMistyped(name.toUpperCase(), meant.toUpperCase());
}

const lettersOf = (name: string) =>
  visibleName(name)
    .toUpperCase()
    .replace(/^X[_.-]/, '')
    .replaceAll(/[_.-]/g, '')
    .replace(/S$/, '');

/**
 * The name without a byte order mark, blanks and `export`, which some readers of a `.env` include
 * in it.
 */
export const visibleName = (name: string) =>
  name
    .replaceAll(/[\s\p{Cf}]+/gu, ' ')
    .replace(/^ ?(?:export )?/, '')
    .trim();

/** Whether it looks like `user:key` pairs. A digest has a colon too. */
function holdsPairs(value: string): boolean {
  const entries = parseKeyPairs(value);
  return (
    entries.length > 0 &&
    entries.every(({ user, key }) => user !== '' && !parseDigest(`${user}:${key}`))
  );
}

/**
 * Whether the texts differ in one letter that was replaced, added or left out, or in two that
 * were swapped.
 */
function isMistyped(a: string, b: string): boolean {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let end = 0;
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (left.length <= 1 && right.length <= 1) return true;
  return left.length === 2 && left === [...right].toReversed().join('');
}

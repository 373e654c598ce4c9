import { isDeepStrictEqual } from 'node:util';
import { parseApiKey } from '../../keys/key-format.js';
import { digestApiKey, parseDigest } from '../../keys/digest.js';
import {
  checkImportOptions,
  type CheckedImport,
  type CreateKeyOptions,
} from '../../manager/key-options.js';
import { isUnresolved } from '../../sources/key-entries.js';
import { describeWeakness, weaknessOf } from '../../sources/weakness.js';
import type { ImportEntry } from './import-entry.js';
import { isPasswordHash } from './likely-problem.js';

export interface CheckedEntry extends ImportEntry {
  readonly digest: string;
  /** Whether the key lacks the library's form. Unknown for a digest. */
  readonly isLegacy: boolean;
}

/** A remark about one entry. Names its place, never its value. */
export interface Remark {
  readonly place: string;
  readonly text: string;
}

/** What can be taken over, and what is wrong with the rest. */
export function checkEntries(entries: readonly ImportEntry[]): {
  good: CheckedEntry[];
  problems: Remark[];
  weak: Remark[];
} {
  const good: CheckedEntry[] = [];
  const problems: Remark[] = [];
  const weak: Remark[] = [];
  const firstUses = new Map<string, { fields: CreateKeyOptions; place: string }>();
  for (const entry of entries) {
    const { place } = entry;
    const checked = check(entry);
    if (typeof checked === 'string') {
      problems.push({ place, text: checked });
      continue;
    }
    const { fields, digest, key } = checked;
    const first = firstUses.get(digest);
    const conflict = first && conflictOf(fields, first);
    if (conflict !== undefined) {
      problems.push({ place, text: conflict });
      continue;
    }
    if (!first) firstUses.set(digest, { fields, place });
    good.push({ ...entry, digest, isLegacy: key !== undefined && !parseApiKey(key) });
    const weakness = key === undefined ? undefined : weaknessOf(key);
    if (weakness !== undefined) weak.push({ place, text: `the key ${describeWeakness[weakness]}` });
  }
  const isReadable = ({ options: { user, name } }: CheckedEntry) =>
    [user, name].some((text) => text !== undefined && firstUses.has(digestApiKey(text)));
  const readable = new Set(good.filter(isReadable));
  for (const { place } of readable)
    problems.push({ place, text: 'has a key of the file as its user or name' });
  return { good: good.filter((entry) => !readable.has(entry)), problems, weak };
}

/** What is wrong with an entry whose key stands in another one too. */
function conflictOf(
  fields: CreateKeyOptions,
  first: { readonly fields: CreateKeyOptions; readonly place: string },
): string | undefined {
  if (first.fields.user !== fields.user)
    return `has the same key as ${first.place}, under another user`;
  return isDeepStrictEqual(fields, first.fields)
    ? undefined
    : `has the same key as ${first.place}, with other values`;
}

/** The entry as the library takes it, or what is wrong with it. */
function check({ options, problem, likelyProblem }: ImportEntry): CheckedImport | string {
  if (problem !== undefined) return problem;
  const { user, key, digest } = options;
  const given = key ?? digest ?? '';
  if (user === undefined || user === '') return 'has no user';
  if (given === '') return 'has no key';
  if (typeof given === 'string' && isUnresolved(given))
    return 'has an unresolved reference instead of a key';
  if (typeof given === 'string' && /^sha256:/i.test(given) && !parseDigest(given)) {
    return 'begins with "sha256:" but is not a digest of 64 hexadecimal digits';
  }
  if (typeof given === 'string' && isPasswordHash(given))
    return 'has a password hash, from which no digest can be made: give its user a new key';
  try {
    const checked = checkImportOptions(options);
    return likelyProblem ?? checked;
  } catch (error) {
    return `is refused: ${(error as Error).message.replace(/^import: /, '')}`;
  }
}

import { createApiKey } from '../keys/api-key.js';
import type { VerifyResult } from '../keys/key-source.js';
import { ownAnswer, unknownKey } from '../keys/own-source.js';
import { digestOf, parseDigest, toHex, type Digest } from '../keys/digest.js';
import { isUnresolved, type KeyEntry } from './key-entries.js';
import { isKeyLike } from '../lib/mask.js';
import { isName } from '../lib/options.js';
import { isPresentable } from '../http/presented-key.js';
import { warnOnce } from '../lib/warn.js';
import { describeWeakness, weaknessOf, type Weakness } from './weakness.js';

/**
 * Listed keys by their digests. Finding one takes one look-up, however many there are. The keys
 * themselves are not kept.
 */
export class KeyTable {
  readonly #results: ReadonlyMap<Digest, VerifyResult>;

  constructor(results: ReadonlyMap<Digest, VerifyResult>) {
    this.#results = inOrderOfDigests(results);
  }

  get size(): number {
    return this.#results.size;
  }

  find(digest: Digest): VerifyResult {
    return this.#results.get(digest) ?? unknownKey;
  }
}

/**
 * The same in an order that tells nothing of the list's: a `Map` finds soonest what was put in
 * last.
 */
export function inOrderOfDigests<Result>(
  results: ReadonlyMap<Digest, Result>,
): ReadonlyMap<Digest, Result> {
  return new Map(
    [...results.keys()].toSorted().map((digest) => [digest, results.get(digest)!] as const),
  );
}

/** Why an entry cannot be used. */
interface EntryProblem {
  readonly place: string;
  /** Names the entry by place, never by value: `entry 2 has no key`. */
  readonly message: string;
  /** Whether an earlier entry gives this key to another user. */
  readonly isShared: boolean;
}

/** A key that works but should be replaced. */
export interface WeakEntry {
  readonly place: string;
  readonly weakness: Weakness;
  /** In hexadecimal digits. Tells keys apart without holding one. */
  readonly digest: string;
}

/** The result of reading a list of keys. */
export interface KeyListing {
  /** `undefined` if any entry is wrong: a list is used whole or not at all. */
  readonly table: KeyTable | undefined;
  readonly problems: readonly EntryProblem[];
  readonly weak: readonly WeakEntry[];
}

/**
 * Reads a list of keys and finds every problem: an entry whose key could never be used, or a key of
 * two users.
 */
export function listKeys(
  entries: readonly KeyEntry[],
  source: string,
  scopes: readonly string[] = [],
): KeyListing {
  const problems: EntryProblem[] = [];
  const weak: WeakEntry[] = [];
  const counts = new Map<string, number>();
  const results = new Map<Digest, Extract<VerifyResult, { ok: true }>>();
  for (const { user, key, place } of entries) {
    const problem = problemOf(user, key);
    if (problem !== undefined) {
      problems.push({ place, message: `${place} ${problem}`, isShared: false });
      continue;
    }
    const digest = parseDigest(key) ?? digestOf(key);
    const userBefore = results.get(digest)?.apiKey.user;
    if (userBefore !== undefined) {
      if (userBefore !== user)
        problems.push({ place, message: `${place} has the key of another user`, isShared: true });
      continue;
    }
    const count = (counts.get(user) ?? 0) + 1;
    counts.set(user, count);
    const apiKey = createApiKey({ keyId: `${user}#${count}`, user, scopes, source });
    results.set(digest, ownAnswer({ ok: true, apiKey }));
    const weakness = weaknessOf(key);
    if (weakness) weak.push({ place, weakness, digest: toHex(digest) });
  }
  return { table: problems.length === 0 ? new KeyTable(results) : undefined, problems, weak };
}

/** The problem of an entry by itself. Completes "entry 2 ...". */
function problemOf(user: string, key: string): string | undefined {
  // If the user of `sha256:<hex>` is missing, `sha256` looks like the user.
  if (user.toLowerCase() === 'sha256') return 'has a digest but no user';
  if (!isName(user)) return 'has no user, or one with control characters';
  // Users appear in logs, so a key in the wrong place must not become one.
  if (isKeyLike(user)) return 'has a key where its user should stand';
  if (key === '') return 'has no key';
  if (isUnresolved(key)) return 'has an unresolved reference instead of a key';
  if (/^sha256:/i.test(key))
    return parseDigest(key)
      ? undefined
      : 'begins with "sha256:" but is not a digest of 64 hexadecimal digits';
  return isPresentable(key)
    ? undefined
    : 'has a key that no header can carry: blanks, commas, non-ASCII or over 512 characters';
}

/** How many weak keys are named one by one. */
const maxNamed = 10;

/** Warns of keys that work but should be replaced, each once, by its place. */
export function warnOfWeakKeys(list: string, weak: readonly WeakEntry[]): void {
  for (const { place, weakness, digest } of weak.slice(0, maxNamed)) {
    warnOnce(
      `${list}: the key in ${place} ${describeWeakness[weakness]}; replace it.`,
      `${list}: ${digest}`,
    );
  }
  const rest = weak.length - maxNamed;
  if (rest > 0) warnOnce(`${list}: ${rest} more keys are weak; replace them.`);
}

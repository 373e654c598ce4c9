import { createApiKey } from '../api-key.js';
import { parseApiKey } from '../key-format.js';
import { unknownKey, type VerifyResult } from '../key-source.js';
import { DigestTable } from './digest-table.js';
import { digestOf, parseDigest, toHex, type Digest } from './digest.js';
import { isKeyLike, isName } from './options.js';
import { isPresentable } from './presented-key.js';
import { warnOnce } from './warn.js';

/** One key of one user, as somebody wrote it down: plain, or as `sha256:<64 hex>`. */
export interface KeyEntry {
  readonly user: string;
  readonly key: string;
  /** Where it stands, for messages: `entry 2`. */
  readonly place: string;
}

/** Says by place, never by value, why a list of keys cannot be used. */
export class KeyListError extends Error {
  override readonly name = 'KeyListError';
  readonly place: string;

  constructor(place: string, complaint: string) {
    super(`${place} ${complaint}`);
    this.place = place;
  }
}

/** Listed keys by their digests: one look-up, whatever their number. Keys themselves are not kept. */
export class KeyTable {
  readonly #results = new DigestTable<VerifyResult>();
  /** The places of keys that work but ought to be replaced. */
  readonly weak: readonly { place: string; weakness: string; digest: string }[];

  /** @throws {KeyListError} for an entry that could never admit its user, or admits two. */
  constructor(entries: readonly KeyEntry[], source: string, scopes: readonly string[] = []) {
    const weak: { place: string; weakness: string; digest: string }[] = [];
    const counts = new Map<string, number>();
    const results = new Map<Digest, Extract<VerifyResult, { ok: true }>>();
    for (const { user, key, place } of entries) {
      assertUser(user, place);
      const digest = digestOfEntry(key, place);
      const owner = results.get(digest)?.apiKey.user;
      if (owner !== undefined && owner !== user) throw new KeyListError(place, 'has the key of another user');
      if (owner !== undefined) continue;
      const count = (counts.get(user) ?? 0) + 1;
      counts.set(user, count);
      const apiKey = createApiKey({ keyId: `${user}#${count}`, user, scopes, source });
      results.set(digest, Object.freeze({ ok: true, apiKey }));
      const weakness = weaknessOf(key);
      if (weakness) weak.push({ place, weakness, digest: toHex(digest) });
    }
    // In an order that has nothing to do with the list's: what came first into a table is found a little sooner.
    for (const digest of [...results.keys()].toSorted()) this.#results.set(digest, results.get(digest)!);
    this.weak = weak;
  }

  get size(): number {
    return this.#results.size;
  }

  find(digest: Digest): VerifyResult {
    return this.#results.get(digest) ?? unknownKey;
  }
}

/** All that a `KeyTable` of these entries would refuse, instead of the first alone; and what is weak among the rest. */
export function examineEntries(entries: readonly KeyEntry[]): {
  problems: KeyListError[];
  weak: KeyTable['weak'];
} {
  const problems: KeyListError[] = [];
  for (let rest = entries; ;) {
    try {
      return { problems, weak: new KeyTable(rest, 'examined').weak };
    } catch (error) {
      if (!(error instanceof KeyListError)) throw error;
      problems.push(error);
      rest = rest.filter(({ place }) => place !== error.place);
    }
  }
}

/** As many weak keys as are told of one by one. */
const maxTold = 10;

/** Warns of keys that work but ought to be replaced, each once, by its place. */
export function warnOfWeakKeys(list: string, { weak }: KeyTable): void {
  for (const { place, weakness, digest } of weak.slice(0, maxTold)) {
    warnOnce(`${list}: ${digest}`, `${list}: the key in ${place} ${weakness}; replace it.`);
  }
  const rest = weak.length - maxTold;
  if (rest > 0) warnOnce(`${list}: weak keys`, `${list}: ${rest} more keys are weak; replace them.`);
}

function assertUser(user: string, place: string): void {
  // `sha256:<hex>` whose user was forgotten reads as a user of that name.
  if (user === 'sha256') throw new KeyListError(place, 'has a digest but no user');
  if (isName(user)) throw new KeyListError(place, 'has no user, or one with control characters');
  // Users stand in logs, so a key in the wrong place must not become one.
  if (isKeyLike(user)) throw new KeyListError(place, 'has a key where its user should stand');
}

function digestOfEntry(key: string, place: string): Digest {
  if (key === '') throw new KeyListError(place, 'has no key');
  if (isUnresolved(key)) throw new KeyListError(place, 'has an unresolved reference instead of a key');
  if (/^sha256:/i.test(key)) {
    const digest = parseDigest(key);
    if (!digest)
      throw new KeyListError(place, 'begins with "sha256:" but is not a digest of 64 hexadecimal digits');
    return digest;
  }
  if (!isPresentable(key)) {
    throw new KeyListError(
      place,
      'has a key that no header can carry: blanks, commas, non-ASCII or over 512 characters',
    );
  }
  return digestOf(key);
}

/** Whether a reference was left unresolved by the tool that was to fill it in: `${X}`, `$env://X`. It is no key. */
export function isUnresolved(text: string): boolean {
  const start = text.indexOf('${');
  return text.startsWith('$env://') || (start >= 0 && text.indexOf('}', start) > 0);
}

/** Whether the text is nothing but one such reference. */
export function isReference(text: string): boolean {
  return /^(\$\{[^}]*\}|\$env:\/\/[^\s,]*)$/.test(text);
}

/** What makes a working key easy to guess or to send wrong, if anything does. A digest hides that. */
export function weaknessOf(key: string): string | undefined {
  // What we made is random, whatever words its prefix or chance put into it.
  if (parseDigest(key) || parseApiKey(key)) return undefined;
  if (isSample(key)) return 'looks like a sample from documentation';
  if (/^(["']).*\1$/.test(key)) return 'stands in quotes, which are part of it';
  return key.length < 32 ? 'is shorter than 32 characters' : undefined;
}

const sampleWords = new Set(['key', 'test', 'secret', 'password', 'api', 'apikey', 'abc']);

function isSample(key: string): boolean {
  const words = key.toLowerCase().replace(/[^a-z]+/g, '-');
  return (
    /(^|-)(your|my|some|the)-(api-|secret-|internal-)*(key|token|secret)(-|$)/.test(words) ||
    /change-?(me|this|it)|replace-?(me|this|with)|^(example|sample|dummy|placeholder)(-|$)|-(example|sample|here)$/.test(
      words,
    ) ||
    /^(.)\1*$/.test(key) ||
    words.split('-').every((word) => sampleWords.has(word) || /^x*$/.test(word))
  );
}

import type { KeySource, VerifyResult } from '../keys/key-source.js';
import { SharedDigest, sharesDigest } from '../keys/own-source.js';
import type { Request } from 'express';
import type { KeyEntry } from './key-entries.js';
import { listKeys, warnOfWeakKeys, type KeyTable } from './key-table.js';
import { assertArgument, checkOptions, describe, mustBeScopes } from '../lib/options.js';

/** What goes for every key of the list. */
export interface KeyListOptions {
  /** What each of the keys may do: scopes by RFC 6749, section 3.3. Default `[]`. */
  scopes?: readonly string[] | undefined;
}

/**
 * A key source of users and their keys, each plain or as `sha256:<64 hex>`:
 * `keyList({ alice: 'key', bob: ['new', 'old'] })`. An empty list holds no key, which is answered
 * 503. A key under 32 characters, or a sample, works and is warned of once.
 *
 * @throws {TypeError} where an entry has no key, a broken one, or another user's; it is named by
 * its place, never by value.
 */
export function keyList(
  keys: Readonly<Record<string, string | readonly string[]>>,
  options?: KeyListOptions,
): KeySource {
  assertArgument('keyList', 'the list', keys, (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? undefined
      : 'an object of users and keys',
  );
  const { scopes = [] } = checkOptions<KeyListOptions>('keyList', options, {
    scopes: mustBeScopes,
  });
  const { table, problems, weak } = listKeys(readEntries(keys), 'list', scopes);
  if (!table) throw new TypeError(`keyList: ${problems[0]!.message}`);
  warnOfWeakKeys('keyList', weak);
  return new ListSource(table);
}

class ListSource implements KeySource {
  readonly name = 'list';
  readonly [sharesDigest] = true;
  readonly #table: KeyTable;

  constructor(table: KeyTable) {
    this.#table = table;
  }

  verify(presentedKey: string, _req?: Request, shared?: SharedDigest): VerifyResult {
    return this.#table.find(SharedDigest.of(presentedKey, shared));
  }

  configured(): boolean {
    return this.#table.size > 0;
  }
}

function readEntries(keys: object): KeyEntry[] {
  return Object.entries(keys).flatMap(([user, value]: [string, unknown], index) => {
    const place = `entry ${index + 1}`;
    const list: unknown[] = Array.isArray(value) ? value : [value];
    if (list.length === 0) throw new TypeError(`keyList: ${place} has no key`);
    return list.map((key) => {
      // `alice: process.env.ALICE_KEY` with the variable unset must not become a key that nobody
      // knows of.
      if (typeof key !== 'string')
        throw new TypeError(`keyList: ${place} has ${describe(key)} instead of a key`);
      return { user, key: key.trim(), place };
    });
  });
}

import type { KeySource, VerifyResult } from '../keys/key-source.js';
import { SharedDigest, sharesDigest } from '../keys/own-source.js';
import type { Request } from 'express';
import type { KeyEntry } from './key-entries.js';
import { listKeys, warnOfWeakKeys, type KeyTable } from './key-table.js';
import { assertArgument, checkOptions, describe, mustBeScopes } from '../lib/options.js';

/** Options for all keys of the list. */
export interface KeyListOptions {
  /** What each key may do: scopes by RFC 6749, section 3.3. Default `[]`. */
  scopes?: readonly string[] | undefined;
}

/**
 * A key source of users and their keys: `keyList({ alice: 'key', bob: ['new', 'old'] })`. Each
 * key is plain or `sha256:<64 hex>`. An empty list holds no key, which is answered 503. A key
 * under 32 characters or a sample key works, with one warning.
 *
 * @throws {TypeError} if an entry has no key, an invalid one, or one of another user. The message
 *   names its place, never its value.
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
  declare readonly [sharesDigest]: true;
  readonly #table: KeyTable;

  constructor(table: KeyTable) {
    // Set here, because no bundler leaves out a class that has a field with a computed name.
    this[sharesDigest] = true;
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
      // `alice: process.env.ALICE_KEY` with an unset variable must not silently leave Alice without
      // a key.
      if (typeof key !== 'string')
        throw new TypeError(`keyList: ${place} has ${describe(key)} instead of a key`);
      return { user, key: key.trim(), place };
    });
  });
}

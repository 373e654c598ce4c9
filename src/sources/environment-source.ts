import type { Request } from 'express';
import type { KeySource, VerifyResult } from '../keys/key-source.js';
import { SharedDigest, sharesDigest, unknownKey } from '../keys/own-source.js';
import type { KeyEntry } from './key-entries.js';
import { listKeys, warnOfWeakKeys, type KeyTable } from './key-table.js';
import { warnOnce } from '../lib/warn.js';

/**
 * Keys out of one environment variable, which is read late, so that `dotenv` may run after the
 * import, and kept once it was found set. While it is unset it is looked at again.
 */
export class EnvironmentSource implements KeySource {
  readonly name: string;
  readonly [sharesDigest] = true;
  readonly #variable: string;
  readonly #parse: (value: string) => readonly KeyEntry[];
  readonly #scopes: readonly string[];
  #table: KeyTable | undefined;
  #broken = false;

  constructor(
    variable: string,
    parse: (value: string) => readonly KeyEntry[],
    scopes: readonly string[],
  ) {
    this.name = `env:${variable}`;
    this.#variable = variable;
    this.#parse = parse;
    this.#scopes = [...scopes];
    // Early enough to report a broken list at start, late enough for the rest of the start-up to
    // set the variable.
    setImmediate(() => this.#load()).unref();
  }

  verify(presentedKey: string, _req?: Request, shared?: SharedDigest): VerifyResult {
    return this.#load()?.find(SharedDigest.of(presentedKey, shared)) ?? unknownKey;
  }

  configured(): boolean {
    return this.#load() !== undefined;
  }

  misconfigured(): boolean {
    this.#load();
    return this.#broken;
  }

  #load(): KeyTable | undefined {
    if (this.#table || this.#broken) return this.#table;
    const value = process.env[this.#variable];
    if (value === undefined) return undefined;
    const { table, problems, weak } = listKeys(this.#parse(value), this.name, this.#scopes);
    if (!table) {
      this.#broken = true;
      const message = `${this.#variable} is not used: ${problems[0]!.message}. Fix it and restart.`;
      warnOnce(message);
      return undefined;
    }
    // Nothing but blanks, commas and unresolved references is as good as unset.
    if (table.size === 0) return undefined;
    warnOfWeakKeys(this.#variable, weak);
    return (this.#table = table);
  }
}

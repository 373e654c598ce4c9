import type { Request } from 'express';
import type { KeySource, VerifyResult } from '../keys/key-source.js';
import { SharedDigest, sharesDigest, unknownKey } from '../keys/own-source.js';
import type { KeyEntry } from './key-entries.js';
import { listKeys, warnOfWeakKeys, type KeyTable } from './key-table.js';
import { warnOnce } from '../lib/warn.js';

/**
 * Keys from one environment variable. The variable is read late, so `dotenv` may run after the
 * import. It is read again while it is unset. Once it is set, its value is kept.
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
    // Early enough to report a broken list at start, and late enough for the start-up code to set
    // the variable.
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
    // A value of only blanks, commas and unresolved references counts as unset.
    if (table.size === 0) return undefined;
    warnOfWeakKeys(this.#variable, weak);
    return (this.#table = table);
  }
}

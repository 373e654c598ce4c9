import { byDigest, ownSource, unknownKey, type DigestSource, type VerifyResult } from '../key-source.js';
import { digestOf, type Digest } from '../lib/digest.js';
import { KeyListError, KeyTable, warnOfWeakKeys, type KeyEntry } from '../lib/key-table.js';
import { warnOnce } from '../lib/warn.js';

/**
 * Keys out of one environment variable, which is read late, so that `dotenv` may run after the import, and kept once it was
 * found set. While it is unset it is looked at again.
 */
export class EnvironmentSource implements DigestSource {
  readonly name: string;
  readonly #variable: string;
  readonly #parse: (value: string) => readonly KeyEntry[];
  readonly #scopes: readonly string[];
  #table: KeyTable | undefined;
  #broken = false;

  constructor(variable: string, parse: (value: string) => readonly KeyEntry[], scopes: readonly string[]) {
    this.name = `env:${variable}`;
    this.#variable = variable;
    this.#parse = parse;
    this.#scopes = [...scopes];
    // Early enough that a broken list is told of at start, late enough for the rest of the start-up to set the variable.
    setImmediate(() => this.#load()).unref();
  }

  verify(presentedKey: string): VerifyResult {
    return this[byDigest](digestOf(presentedKey));
  }

  [byDigest](digest: Digest): VerifyResult {
    return (this.#table ?? this.#load())?.find(digest) ?? unknownKey;
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
    try {
      const table = new KeyTable(this.#parse(value), this.name, this.#scopes);
      // Nothing but blanks, commas and unresolved references is as good as unset.
      if (table.size === 0) return undefined;
      this.#table = table;
      warnOfWeakKeys(this.#variable, table);
    } catch (error) {
      if (!(error instanceof KeyListError)) throw error;
      this.#broken = true;
      warnOnce(
        `${this.#variable}: ${error.message}`,
        `${this.#variable} is not used: ${error.message}. Mend it and restart.`,
      );
    }
    return this.#table;
  }
}

ownSource(EnvironmentSource.prototype);

import type { KeyStore } from '../stores/key-store.js';

/**
 * One promise of a contract and the test of it, for any test runner:
 * `for (const { title, run } of cases) it(title, run)`.
 */
export interface ContractCase {
  /** The promise, as a title for the test: situation -> outcome. Unique within a contract. */
  readonly title: string;
  /** Tests the promise. Rejects with an `AssertionError` of `node:assert` if it is broken. */
  readonly run: () => Promise<void>;
}

/** Cases of a store by their titles. */
export type StoreCases = Record<string, (store: KeyStore) => Promise<void>>;

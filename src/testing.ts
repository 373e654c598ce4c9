/**
 * The requirements for a key store or a key source of your own, as cases for any test runner.
 * Needs nothing but `node:assert`.
 *
 * @module require-api-key/testing
 */

export type { ContractCase } from './testing/contract-case.js';
export { keySourceContract, type KeySourceUnderTest } from './testing/key-source-contract.js';
export { keyStoreContract, type KeyStoreFeatures } from './testing/key-store-contract.js';

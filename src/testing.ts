export type { ContractCase } from './testing/contract-case.js';
export { keySourceContract, type KeySourceUnderTest } from './testing/key-source-contract.js';
export { keyStoreContract, type KeyStoreFeatures } from './testing/key-store-contract.js';

import type { KeyStore } from '../stores/key-store.js';
import { claimContract } from './claim-store-contract.js';
import type { ContractCase } from './contract-case.js';
import { listContract } from './key-store-list-contract.js';
import { recordContract } from './key-store-record-contract.js';
import { revokeContract, touchContract } from './key-store-revocation-contract.js';
import { rotateContract } from './key-store-rotation-contract.js';
import { searchContract } from './key-store-search-contract.js';
import { watchContract } from './key-store-watch-contract.js';

/** What a store can do beyond the nine methods that it has to have. */
export interface KeyStoreFeatures {
  /** Whether it announces changes. Default `true`. */
  readonly watch?: boolean;
  /** Whether it keeps claim links. Default `true`. */
  readonly claims?: boolean;
}

/**
 * What every key store has to do, as cases for any test runner. `open` is called for each case and must give an empty store;
 * the cases may run at the same time. A store without `watch` or `claims` says so, and is given no cases for them.
 *
 * @param features what the store can do beyond the methods that it has to have; default everything
 */
export function keyStoreContract(
  open: () => KeyStore | Promise<KeyStore>,
  { watch = true, claims = true }: KeyStoreFeatures = {},
): ContractCase[] {
  const contract = {
    ...recordContract,
    ...listContract,
    ...searchContract,
    ...rotateContract,
    ...revokeContract,
    ...touchContract,
    ...(watch && watchContract),
    ...(claims && claimContract),
  };
  return Object.entries(contract).map(([title, run]) => ({
    title,
    run: async () => run(await open()),
  }));
}

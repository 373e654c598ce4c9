import type { KeyStore } from '../stores/key-store.js';
import { claimContract } from './claim-store-contract.js';
import type { ContractCase } from './contract-case.js';
import { listContract } from './key-store-list-contract.js';
import { recordContract } from './key-store-record-contract.js';
import { revokeContract, touchContract } from './key-store-revocation-contract.js';
import { rotateContract } from './key-store-rotation-contract.js';
import { searchContract } from './key-store-search-contract.js';
import { watchContract } from './key-store-watch-contract.js';

/**
 * What every key store has to do, as cases for any test runner. `open` is called for each case and must give an empty store;
 * the cases may run at the same time.
 */
export function keyStoreContract(open: () => KeyStore | Promise<KeyStore>): ContractCase[] {
  const contract = {
    ...recordContract,
    ...listContract,
    ...rotateContract,
    ...revokeContract,
    ...touchContract,
  };
  return Object.entries({ ...contract, ...searchContract, ...watchContract, ...claimContract }).map(
    ([title, run]) => ({
      title,
      run: async () => run(await open()),
    }),
  );
}

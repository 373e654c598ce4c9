import type { KeyStore } from '../stores/key-store.js';
import { claimContract } from './claim-store-contract.js';
import type { ContractCase, StoreCases } from './contract-case.js';
import { eventContract } from './key-store-event-contract.js';
import { listContract } from './key-store-list-contract.js';
import { pauseContract } from './key-store-pause-contract.js';
import {
  addressContract,
  filterContract,
  limitContract,
  revokeUserContract,
} from './key-store-policy-contract.js';
import { recordContract } from './key-store-record-contract.js';
import { revokeContract, touchContract } from './key-store-revocation-contract.js';
import { rotateContract } from './key-store-rotation-contract.js';
import { searchContract } from './key-store-search-contract.js';
import { noticeContract, usageContract } from './key-store-usage-contract.js';
import { watchContract } from './key-store-watch-contract.js';

/** What a store can do besides its nine required methods. Each is `true` by default. */
export interface KeyStoreFeatures {
  /** Whether it announces changes. */
  readonly watch?: boolean;
  /** Whether it keeps claim links. */
  readonly claims?: boolean;
  /** Whether it keeps events. */
  readonly events?: boolean;
  /** Whether it can pause keys. */
  readonly pause?: boolean;
  /** Whether it can revoke everything of a user in one step. */
  readonly revokeUser?: boolean;
  /** Whether it limits the number of a user's keys, and the scopes that a successor inherits. */
  readonly limits?: boolean;
  /** Whether it keeps allowed addresses. */
  readonly addresses?: boolean;
  /** Whether it finds unused keys, and keys that expire soon. */
  readonly filters?: boolean;
  /** Whether it reports keys that are about to expire. */
  readonly notices?: boolean;
  /** Whether it keeps uses per day. */
  readonly usage?: boolean;
}

const optional = {
  watch: watchContract,
  claims: claimContract,
  events: eventContract,
  pause: pauseContract,
  revokeUser: revokeUserContract,
  limits: limitContract,
  addresses: addressContract,
  filters: filterContract,
  notices: noticeContract,
  usage: usageContract,
} satisfies Record<keyof KeyStoreFeatures, StoreCases>;

/**
 * The requirements for every key store, as cases for any test runner. `open` is called for each
 * case and must return an empty store. Cases may run at the same time.
 *
 * @param features what the store cannot do, such as `{ watch: false }`. Default: everything is
 *   supported
 */
export function keyStoreContract(
  open: () => KeyStore | Promise<KeyStore>,
  features: KeyStoreFeatures = {},
): ContractCase[] {
  const contract: StoreCases = {
    ...recordContract,
    ...listContract,
    ...searchContract,
    ...rotateContract,
    ...revokeContract,
    ...touchContract,
  };
  for (const name of Object.keys(optional) as (keyof KeyStoreFeatures)[])
    if (features[name] ?? true) Object.assign(contract, optional[name]);
  return Object.entries(contract).map(([title, run]) => ({
    title,
    run: async () => run(await open()),
  }));
}

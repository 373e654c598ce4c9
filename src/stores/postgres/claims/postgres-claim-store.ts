import type {
  ClaimedKey,
  ClaimOutcome,
  ClaimQuery,
  ClaimRecord,
  ClaimStore,
  StoredClaim,
} from '../../claim-store.js';
import type { Database } from '../database.js';
import type { Names } from '../names.js';
import { findClaim } from './find-claim.js';
import { insertClaim } from './insert-claim.js';
import { listClaims } from './list-claims.js';
import { pruneClaims } from './prune-claims.js';
import { revokeClaim } from './revoke-claim.js';
import { takeClaim } from './take-claim.js';

export interface PostgresClaimStoreOptions {
  readonly database: Database;
  readonly names: Names;
  /** How long a look-up and a change may take, in milliseconds. */
  readonly lookUpMs: number;
  readonly changeMs: number;
}

/** Keeps claim links in a table of their own beside that of the keys. */
export class PostgresClaimStore implements ClaimStore {
  readonly #options: PostgresClaimStoreOptions;

  constructor(options: PostgresClaimStoreOptions) {
    this.#options = options;
  }

  async insert(claim: StoredClaim): Promise<ClaimRecord> {
    const { database, names, changeMs } = this.#options;
    return insertClaim(database, names, claim, changeMs);
  }

  async find(tokenDigest: string): Promise<ClaimRecord | undefined> {
    const { database, names, lookUpMs } = this.#options;
    return findClaim(database, names, tokenDigest, lookUpMs);
  }

  async take(tokenDigest: string, key: ClaimedKey): Promise<ClaimOutcome> {
    const { database, names, changeMs } = this.#options;
    return takeClaim(database, names, tokenDigest, key, changeMs);
  }

  async list(query: ClaimQuery): Promise<ClaimRecord[]> {
    const { database, names, changeMs } = this.#options;
    return listClaims(database, names, query, changeMs);
  }

  async revoke(claimId: string, revokedAt: Date): Promise<ClaimRecord> {
    const { database, names, changeMs } = this.#options;
    return revokeClaim(database, names, claimId, revokedAt, changeMs);
  }

  async prune(before: Date): Promise<number> {
    return pruneClaims(this.#options.database, this.#options.names, before, 60_000);
  }
}

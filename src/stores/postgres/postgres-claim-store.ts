import type {
  ClaimedKey,
  ClaimOutcome,
  ClaimQuery,
  ClaimRecord,
  ClaimStore,
  StoredClaim,
} from '../claim-store.js';
import type { Sessions } from './session.js';
import { findClaim } from './claims/find-claim.js';
import { insertClaim } from './claims/insert-claim.js';
import { listClaims } from './claims/list-claims.js';
import { pruneClaims } from './claims/prune-claims.js';
import { revokeClaim } from './claims/revoke-claim.js';
import { takeClaim } from './claims/take-claim.js';

/** Keeps claim links in a table of their own beside that of the keys. */
export class PostgresClaimStore implements ClaimStore {
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  async insert(claim: StoredClaim): Promise<ClaimRecord> {
    return insertClaim(this.#sessions.change, claim);
  }

  async find(tokenDigest: string): Promise<ClaimRecord | undefined> {
    return findClaim(this.#sessions.lookUp, tokenDigest);
  }

  async take(tokenDigest: string, key: ClaimedKey): Promise<ClaimOutcome> {
    return takeClaim(this.#sessions.change, tokenDigest, key);
  }

  async list(query: ClaimQuery): Promise<ClaimRecord[]> {
    return listClaims(this.#sessions.change, query);
  }

  async revoke(claimId: string, revokedAt: Date): Promise<ClaimRecord> {
    return revokeClaim(this.#sessions.change, claimId, revokedAt);
  }

  async prune(before: Date): Promise<number> {
    return pruneClaims(this.#sessions.prune, before);
  }
}

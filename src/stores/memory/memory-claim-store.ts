import { deepCopy } from '../../lib/deep-copy.js';
import { claimStatusOf } from '../claim-status.js';
import {
  ClaimError,
  type ClaimedKey,
  type ClaimOutcome,
  type ClaimQuery,
  type ClaimRecord,
  type ClaimStore,
  type StoredClaim,
} from '../claim-store.js';
import type { KeyRecord, StoredKey } from '../key-record.js';

/** Keeps claim links in this process, beside the keys of a `MemoryKeyStore`. */
export class MemoryClaimStore implements ClaimStore {
  readonly #claims = new Map<string, StoredClaim>();
  readonly #claimIds = new Map<string, string>();
  readonly #insertKey: (key: StoredKey) => KeyRecord;

  /** @param insertKey adds a key before it returns, or throws: a claim must not be interrupted between link and key */
  constructor(insertKey: (key: StoredKey) => KeyRecord) {
    this.#insertKey = insertKey;
  }

  async insert(claim: StoredClaim): Promise<ClaimRecord> {
    if (this.#claims.has(claim.claimId) || this.#claimIds.has(claim.tokenDigest)) {
      throw new ClaimError('duplicate_claim');
    }
    this.#claimIds.set(claim.tokenDigest, claim.claimId);
    return this.#put(claim);
  }

  async find(tokenDigest: string): Promise<ClaimRecord | undefined> {
    const claim = this.#byDigest(tokenDigest);
    return claim && recordOf(claim);
  }

  async take(tokenDigest: string, { keyId, digest, createdAt }: ClaimedKey): Promise<ClaimOutcome> {
    const claim = this.#byDigest(tokenDigest);
    if (!claim) return { outcome: 'unknown' };
    const status = claimStatusOf(claim, createdAt);
    if (status !== 'open') return { outcome: status, claim: recordOf(claim) };
    const { user, name, scopes, metadata, keyExpiresAt } = claim;
    const record = this.#insertKey({
      keyId,
      digest,
      user,
      ...(name !== undefined && { name }),
      scopes,
      metadata,
      createdAt,
      ...(keyExpiresAt && { expiresAt: keyExpiresAt }),
    });
    return {
      outcome: 'claimed',
      claim: this.#put({ ...claim, claimedAt: createdAt, keyId }),
      record,
    };
  }

  async list({ status, limit, cursor, now }: ClaimQuery): Promise<ClaimRecord[]> {
    const claims = [...this.#claims.values()].toSorted(newestFirst);
    const start =
      cursor === undefined ? 0 : claims.findIndex(({ claimId }) => claimId === cursor) + 1;
    if (cursor !== undefined && start === 0) throw new ClaimError('unknown_claim_id');
    return claims
      .slice(start)
      .filter((claim) => status === undefined || claimStatusOf(claim, now) === status)
      .slice(0, limit)
      .map(recordOf);
  }

  async revoke(claimId: string, revokedAt: Date): Promise<ClaimRecord> {
    const claim = this.#claims.get(claimId);
    if (!claim) throw new ClaimError('unknown_claim_id');
    if (claim.claimedAt) throw new ClaimError('claim_used');
    return claim.revokedAt ? recordOf(claim) : this.#put({ ...claim, revokedAt });
  }

  async prune(before: Date): Promise<number> {
    const dead = [...this.#claims.values()].filter(
      ({ claimedAt, revokedAt, expiresAt }) => (claimedAt ?? revokedAt ?? expiresAt) <= before,
    );
    for (const { claimId, tokenDigest } of dead) {
      this.#claims.delete(claimId);
      this.#claimIds.delete(tokenDigest);
    }
    return dead.length;
  }

  #byDigest(tokenDigest: string): StoredClaim | undefined {
    return this.#claims.get(this.#claimIds.get(tokenDigest) ?? '');
  }

  /** The one place where something from outside is kept: a copy, which nobody else can change. */
  #put(claim: StoredClaim): ClaimRecord {
    this.#claims.set(claim.claimId, deepCopy(claim));
    return recordOf(claim);
  }
}

function recordOf({ tokenDigest: _tokenDigest, ...record }: StoredClaim): ClaimRecord {
  return deepCopy(record);
}

const newestFirst = (a: ClaimRecord, b: ClaimRecord) =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a.claimId < b.claimId ? 1 : -1);

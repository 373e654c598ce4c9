import { deepCopy } from '../../lib/values.js';
import {
  claimStatusOf,
  ClaimError,
  keyOfClaim,
  type ClaimedKey,
  type ClaimOutcome,
  type ClaimQuery,
  type ClaimRecord,
  type ClaimStore,
  type StoredClaim,
} from '../claim-store.js';
import { createEvent } from '../event-changes.js';
import type { ChangeContext, KeyEventType } from '../key-event.js';
import type { KeyRecord, StoredKey } from '../key-record.js';
import type { KeyLimit } from '../key-store.js';
import type { MemoryEvents } from './memory-events.js';

/** Adds a key or throws, synchronously: nothing may come between the link and its key. */
type AddKey = (key: StoredKey, limit: KeyLimit | undefined) => KeyRecord;

/** Keeps claim links in this process, beside the keys of a `MemoryKeyStore`. */
export class MemoryClaimStore implements ClaimStore {
  readonly #claims = new Map<string, StoredClaim>();
  readonly #claimIds = new Map<string, string>();
  readonly #events: MemoryEvents;
  readonly #addKey: AddKey;

  constructor(events: MemoryEvents, addKey: AddKey) {
    this.#events = events;
    this.#addKey = addKey;
  }

  async insert(claim: StoredClaim, context?: ChangeContext): Promise<ClaimRecord> {
    if (this.#claims.has(claim.claimId) || this.#claimIds.has(claim.tokenDigest)) {
      throw new ClaimError('duplicate_claim');
    }
    this.#claimIds.set(claim.tokenDigest, claim.claimId);
    this.#addEvent('claim_created', claim, context, claim.createdAt);
    return this.#put(claim);
  }

  async find(tokenDigest: string): Promise<ClaimRecord | undefined> {
    const claim = this.#byDigest(tokenDigest);
    return claim && recordOf(claim);
  }

  async take(
    tokenDigest: string,
    claimed: ClaimedKey,
    context?: ChangeContext,
  ): Promise<ClaimOutcome> {
    const claim = this.#byDigest(tokenDigest);
    if (!claim) return { outcome: 'unknown' };
    const { keyId, createdAt } = claimed;
    const status = claimStatusOf(claim, createdAt);
    if (status !== 'open') return { outcome: status, claim: recordOf(claim) };
    const { key, limit } = keyOfClaim(claim, claimed);
    const record = this.#addKey(key, limit);
    const used = { ...claim, claimedAt: createdAt, keyId };
    this.#addEvent('claimed', used, context, createdAt, 'claim');
    return { outcome: 'claimed', claim: this.#put(used), record };
  }

  async list({ user, status, limit, cursor, now }: ClaimQuery): Promise<ClaimRecord[]> {
    const claims = [...this.#claims.values()].toSorted(newestFirst);
    const start =
      cursor === undefined ? 0 : claims.findIndex(({ claimId }) => claimId === cursor) + 1;
    if (cursor !== undefined && start === 0) throw new ClaimError('unknown_claim_id');
    return claims
      .slice(start)
      .filter((claim) => user === undefined || claim.user === user)
      .filter((claim) => status === undefined || claimStatusOf(claim, now) === status)
      .slice(0, limit)
      .map(recordOf);
  }

  async revoke(claimId: string, revokedAt: Date, context?: ChangeContext): Promise<ClaimRecord> {
    const claim = this.#claims.get(claimId);
    if (!claim) throw new ClaimError('unknown_claim_id');
    if (claim.claimedAt) throw new ClaimError('claim_used');
    return claim.revokedAt ? recordOf(claim) : this.#revoke(claim, revokedAt, context);
  }

  /** Revokes every open link of a user, synchronously. Newest first. */
  revokeUser(user: string, revokedAt: Date, context: ChangeContext | undefined): ClaimRecord[] {
    return [...this.#claims.values()]
      .filter((claim) => claim.user === user && claimStatusOf(claim, revokedAt) === 'open')
      .toSorted(newestFirst)
      .map((claim) => this.#revoke(claim, revokedAt, context));
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

  #revoke(claim: StoredClaim, revokedAt: Date, context: ChangeContext | undefined): ClaimRecord {
    this.#addEvent('claim_revoked', claim, context, revokedAt);
    return this.#put({ ...claim, revokedAt });
  }

  #addEvent(
    what: KeyEventType,
    { claimId, keyId, user }: ClaimRecord,
    context: ChangeContext | undefined,
    at: Date,
    via: ChangeContext['via'] = 'code',
  ): void {
    const subject = { claimId, user, ...(keyId !== undefined && { keyId }) };
    this.#events.add(createEvent(what, subject, context ?? { via, at }));
  }

  #byDigest(tokenDigest: string): StoredClaim | undefined {
    return this.#claims.get(this.#claimIds.get(tokenDigest) ?? '');
  }

  /**
   * The only place that keeps outside data. It stores a frozen copy, which nobody else can
   * change.
   */
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

import type { KeyRecord } from './key-store.js';

/** What is kept of a claim link, apart from its token's digest: the key that it yields once. Times are instants; an absent time has not come. */
export interface ClaimRecord {
  /** Public, unique: `claim_<10 characters>`. */
  readonly claimId: string;
  /** Whose key it will be. */
  readonly user: string;
  /** What the owner calls the key. */
  readonly name?: string;
  readonly scopes: readonly string[];
  /** JSON, of the application's own making; goes to the key. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The instant from which the key will be refused. */
  readonly keyExpiresAt?: Date;
  readonly createdAt: Date;
  /** The instant from which the link no longer works. */
  readonly expiresAt: Date;
  /** When the key was made. */
  readonly claimedAt?: Date;
  /** The key that was made. */
  readonly keyId?: string;
  /** When the link was withdrawn; whatever the value, it is. */
  readonly revokedAt?: Date;
}

/** A claim link as it is stored: with the digest of its token, `sha256:<64 lower-case hex>`. It stays between store and manager. */
export interface StoredClaim extends ClaimRecord {
  readonly tokenDigest: string;
}

/** What a claim link is at an instant, the first that fits: `used`, `withdrawn`, `expired`, `open`. */
export type ClaimStatus = 'open' | 'used' | 'withdrawn' | 'expired';

/** The key that a claim makes: everything else comes from the claim link. */
export interface ClaimedKey {
  readonly keyId: string;
  readonly digest: string;
  /** The instant of the claim. */
  readonly createdAt: Date;
}

/** How an attempt at a claim ended. */
export type ClaimOutcome =
  | { readonly outcome: 'claimed'; readonly claim: ClaimRecord; readonly record: KeyRecord }
  | { readonly outcome: 'used' | 'withdrawn' | 'expired'; readonly claim: ClaimRecord }
  | { readonly outcome: 'unknown' };

export interface ClaimQuery {
  /** Links of this status at `now`. */
  readonly status?: ClaimStatus | undefined;
  /** At most this many. */
  readonly limit: number;
  /** Links after the one with this `claimId`, in the order of the list. */
  readonly cursor?: string | undefined;
  /** The instant for which a status is meant. */
  readonly now: Date;
}

/**
 * Where a key store keeps claim links: the optional `claims` of a `KeyStore`. Every method is atomic, and rejects with a
 * `ClaimError` for what the caller did wrong and with any other error for a fault. A store never holds a token.
 */
export interface ClaimStore {
  /** Rejects with `duplicate_claim` where the `claimId` or the digest is taken. */
  insert(claim: StoredClaim): Promise<ClaimRecord>;
  /** The link whose token has this digest. Changes nothing. */
  find(tokenDigest: string): Promise<ClaimRecord | undefined>;
  /**
   * Marks an open link as used and inserts its key, both or neither; of any number of attempts at once exactly one is `claimed`.
   * Rejects with the `KeyStoreError` `duplicate_key`, the link still open, where the key's id or digest is taken.
   */
  take(tokenDigest: string, key: ClaimedKey): Promise<ClaimOutcome>;
  /** Newest first, by `createdAt` and then `claimId`, both descending. Rejects with `unknown_claim_id` for an unknown cursor. */
  list(query: ClaimQuery): Promise<ClaimRecord[]>;
  /** Sets `revokedAt` where it is not yet set. Rejects with `unknown_claim_id`, or with `claim_used` where there is a key already. */
  revoke(claimId: string, revokedAt: Date): Promise<ClaimRecord>;
  /** Deletes the links that were used, withdrawn or expired before the instant. Resolves to how many. */
  prune(before: Date): Promise<number>;
}

/**
 * Why a claim link could not be made, used or withdrawn. `claim_not_usable` is the one code for a token that is used, expired,
 * withdrawn, malformed or unknown: which of them it is, is for operators alone.
 */
export type ClaimErrorCode = 'claim_not_usable' | 'unknown_claim_id' | 'claim_used' | 'duplicate_claim';

const messages: Readonly<Record<ClaimErrorCode, string>> = {
  claim_not_usable: 'the claim link does not work',
  unknown_claim_id: 'there is no claim link with this id',
  claim_used: 'the claim link was used; revoke the key that it made instead',
  duplicate_claim: 'a claim link with this id or this token exists already',
};

/** What was asked of a claim link cannot be done. Holds neither token nor digest. */
export class ClaimError extends Error {
  override readonly name = 'ClaimError';
  readonly code: ClaimErrorCode;

  constructor(code: ClaimErrorCode) {
    super(messages[code]);
    this.code = code;
  }
}

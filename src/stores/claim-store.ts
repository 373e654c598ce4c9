import type { ChangeContext } from './key-event.js';
import type { KeyRecord, PageQuery } from './key-record.js';

/** What is kept of a claim link, apart from its token's digest, and of the key that it yields once. An absent time has not come. */
export interface ClaimRecord {
  /** Public, unique: `claim_<10 characters>`. */
  readonly claimId: string;
  /** Whose key it will be. */
  readonly user: string;
  /** What its user calls the key; absent where it will have no name. */
  readonly name?: string;
  /** What the key will be allowed to do. */
  readonly scopes: readonly string[];
  /** JSON of the application's own making, for the key's record. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The instant from which the key will be refused; absent where it never expires. */
  readonly keyExpiresAt?: Date;
  /** The addresses that will be allowed to use the key. Absent: any address. */
  readonly allowedAddresses?: readonly string[];
  /** When the link was made. */
  readonly createdAt: Date;
  /** The instant from which the link no longer works. */
  readonly expiresAt: Date;
  /** When the link was used and its key made. */
  readonly claimedAt?: Date;
  /** The public name of the key that was made. */
  readonly keyId?: string;
  /** When the link was revoked; where there is any value, it is. */
  readonly revokedAt?: Date;
}

/** A claim link as it is stored: with the digest of its token, `sha256:<64 lower-case hex>`. It stays between store and manager. */
export interface StoredClaim extends ClaimRecord {
  /** The digest of the link's token: `sha256:<64 lower-case hex>`. */
  readonly tokenDigest: string;
}

/** What a claim link is at an instant, the first that fits: `used`, `revoked`, `expired`, `open`. */
export type ClaimStatus = 'open' | 'used' | 'revoked' | 'expired';

/** The key that a claim makes: everything else comes from the claim link. */
export interface ClaimedKey {
  /** The public name of the key. */
  readonly keyId: string;
  /** The digest of the key: `sha256:<64 lower-case hex>`. */
  readonly digest: string;
  /** The instant of the claim. */
  readonly createdAt: Date;
  /** When the key expires, if the link does not say. Absent: never. */
  readonly defaultExpiresAt?: Date | undefined;
  /** The most keys that the user may have, as in `KeyLimit`. Absent: no limit. */
  readonly maxKeysPerUser?: number | undefined;
}

/** How an attempt at a claim ended. */
export type ClaimOutcome =
  | {
      /** The link was open, and has yielded its key. */
      readonly outcome: 'claimed';
      /** The link as it is now. */
      readonly claim: ClaimRecord;
      /** The record of the key that was made. */
      readonly record: KeyRecord;
    }
  | {
      /** Why the link yields no key any more. */
      readonly outcome: 'used' | 'revoked' | 'expired';
      /** The link as it was found. */
      readonly claim: ClaimRecord;
    }
  | {
      /** No link has this token. */
      readonly outcome: 'unknown';
    };

/** Which claim links a manager asks a store to list. */
export interface ClaimQuery extends PageQuery {
  /** Links for exactly this user. Absent: for all. */
  readonly user?: string | undefined;
  /** Links of this status at `now`. Absent: of any. */
  readonly status?: ClaimStatus | undefined;
}

/**
 * Where a key store keeps claim links: the optional `claims` of a `KeyStore`. Every method is atomic, and rejects with a
 * `ClaimError` for what the caller did wrong and with any other error for a fault. A store never holds a token.
 */
export interface ClaimStore {
  /** Adds a link. Rejects with `duplicate_claim` where the `claimId` or the digest is taken. */
  insert(claim: StoredClaim, context?: ChangeContext): Promise<ClaimRecord>;
  /** The link whose token has this digest, or `undefined` where there is none. Changes nothing. */
  find(tokenDigest: string): Promise<ClaimRecord | undefined>;
  /**
   * Marks an open link as used and inserts its key, both or neither; of any number of attempts at once exactly one is `claimed`.
   * Rejects with the `KeyStoreError` `duplicate_key`, the link still open, where the key's id or digest is taken,
   * and with `too_many_keys` if the user has `maxKeysPerUser` keys already.
   */
  take(tokenDigest: string, key: ClaimedKey, context?: ChangeContext): Promise<ClaimOutcome>;
  /**
   * Links without their digests, newest first: by `createdAt` and then `claimId`, both descending. Rejects with `unknown_claim_id`
   * for an unknown cursor.
   */
  list(query: ClaimQuery): Promise<ClaimRecord[]>;
  /**
   * Revokes a link: sets `revokedAt` where it is not yet set. Rejects with `unknown_claim_id`, or with `claim_used` where there is a
   * key already.
   */
  revoke(claimId: string, revokedAt: Date, context?: ChangeContext): Promise<ClaimRecord>;
  /** Deletes the links that were used, revoked or expired at or before the instant. Resolves to how many. */
  prune(before: Date): Promise<number>;
}

/**
 * Why a claim link could not be made, used or revoked. `claim_not_usable` is the one code for a token that is used, expired,
 * revoked, malformed or unknown: which of them it is, is for operators alone. `unknown_claim_id`: no link has the claim id, or the
 * cursor's. `claim_used`: the link has yielded its key. `duplicate_claim`: the claim id or the token is taken.
 */
export type ClaimErrorCode =
  'claim_not_usable' | 'unknown_claim_id' | 'claim_used' | 'duplicate_claim';

const messages: Readonly<Record<ClaimErrorCode, string>> = {
  claim_not_usable: 'the claim link does not work',
  unknown_claim_id: 'there is no claim link with this id',
  claim_used: 'the claim link was used; revoke the key that it made instead',
  duplicate_claim: 'a claim link with this id or this token exists already',
};

/** What was asked of a claim link cannot be done. Holds neither token nor digest. */
export class ClaimError extends Error {
  /** What tells it from other errors in logs. */
  override readonly name = 'ClaimError';
  /** Why it cannot be done, for programs. */
  readonly code: ClaimErrorCode;

  /** Makes the error of a code, with the message that belongs to it: for a claim store of your own. */
  constructor(code: ClaimErrorCode) {
    super(messages[code]);
    this.code = code;
  }
}

/** What a claim link is at `now`, in one word. The instant of expiry is already too late. */
export function claimStatusOf(claim: ClaimRecord, now: Date): ClaimStatus {
  if (claim.claimedAt !== undefined) return 'used';
  if (claim.revokedAt !== undefined) return 'revoked';
  // Written so that a time which is not one counts as past.
  return claim.expiresAt.getTime() > now.getTime() ? 'open' : 'expired';
}

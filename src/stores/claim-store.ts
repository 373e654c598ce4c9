import type { ChangeContext } from './key-event.js';
import type { KeyRecord, PageQuery, StoredKey } from './key-record.js';

/**
 * A claim link without its token's digest, and the key that it yields once. A time that is absent
 * has not come.
 */
export interface ClaimRecord {
  /** Public, unique: `claim_<10 characters>`. */
  readonly claimId: string;
  /** The user that the key will belong to. */
  readonly user: string;
  /** The name of the key. Absent if it will have none. */
  readonly name?: string;
  /** What the key will be allowed to do. */
  readonly scopes: readonly string[];
  /** JSON that the application chose, for the record of the key. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The instant from which the key will be refused. Absent if it never expires. */
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
  /** When the link was revoked. Any value means revoked. */
  readonly revokedAt?: Date;
}

/** A claim link as it is stored, with the digest of its token. Only store and manager see it. */
export interface StoredClaim extends ClaimRecord {
  /** The digest of the link's token: `sha256:<64 lower-case hex>`. */
  readonly tokenDigest: string;
}

/**
 * The status of a claim link at an instant. The first that fits counts, in the order `used`,
 * `revoked`, `expired`, `open`.
 */
export type ClaimStatus = 'open' | 'used' | 'revoked' | 'expired';

/** The key that a claim makes. Everything else comes from the claim link. */
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
      /** Why the link yields no key. */
      readonly outcome: 'used' | 'revoked' | 'expired';
      /** The link as it was found. */
      readonly claim: ClaimRecord;
    }
  | {
      /** No link has this token. */
      readonly outcome: 'unknown';
    };

/** Which claim links a store is asked to list. */
export interface ClaimQuery extends PageQuery {
  /** Links of exactly this user. Absent: of all users. */
  readonly user?: string | undefined;
  /** Links of this status at `now`. Absent: of any status. */
  readonly status?: ClaimStatus | undefined;
}

/**
 * Keeps claim links: the optional `claims` of a `KeyStore`. A store never holds a token.
 *
 * Every method is atomic. It rejects with a `ClaimError` if the caller is at fault, and with any
 * other error if the store is.
 */
export interface ClaimStore {
  /** Adds a link. Rejects with `duplicate_claim` if the `claimId` or the digest is taken. */
  insert(claim: StoredClaim, context?: ChangeContext): Promise<ClaimRecord>;
  /** Finds the link whose token has this digest, or `undefined`. Changes nothing. */
  find(tokenDigest: string): Promise<ClaimRecord | undefined>;
  /**
   * Marks an open link as used and inserts its key, both or neither. Of any number of attempts at
   * once, exactly one is `claimed`.
   *
   * Rejects with the `KeyStoreError` `duplicate_key` if the key id or the digest is taken, and
   * with `too_many_keys` if the user has `maxKeysPerUser` keys already. The link is still open
   * then.
   */
  take(tokenDigest: string, key: ClaimedKey, context?: ChangeContext): Promise<ClaimOutcome>;
  /**
   * Lists links without their digests, newest first: by `createdAt`, then `claimId`, both
   * descending. Rejects with `unknown_claim_id` for an unknown cursor.
   */
  list(query: ClaimQuery): Promise<ClaimRecord[]>;
  /**
   * Revokes a link: sets `revokedAt` if it is not set yet. Rejects with `unknown_claim_id`, or
   * with `claim_used` if the link has yielded its key.
   */
  revoke(claimId: string, revokedAt: Date, context?: ChangeContext): Promise<ClaimRecord>;
  /**
   * Deletes the links that were used, revoked or expired at or before the instant. Resolves to
   * their number.
   */
  prune(before: Date): Promise<number>;
}

/**
 * Why a claim link could not be made, used or revoked.
 *
 * - `claim_not_usable`: the token is used, expired, revoked, malformed or unknown. Only operators
 *   learn which.
 * - `unknown_claim_id`: no link has the claim id, or the cursor's.
 * - `claim_used`: the link has yielded its key.
 * - `duplicate_claim`: the claim id or the token is taken.
 */
export type ClaimErrorCode =
  'claim_not_usable' | 'unknown_claim_id' | 'claim_used' | 'duplicate_claim';

const messages: Readonly<Record<ClaimErrorCode, string>> = {
  claim_not_usable: 'the claim link does not work',
  unknown_claim_id: 'there is no claim link with this id',
  claim_used: 'the claim link was used; revoke the key that it made instead',
  duplicate_claim: 'a claim link with this id or this token exists already',
};

/** A claim link does not allow what was asked. Holds neither token nor digest. */
export class ClaimError extends Error {
  /** Tells this error from others in logs. */
  override readonly name = 'ClaimError';
  /** The reason, for programs. */
  readonly code: ClaimErrorCode;

  /** Makes the error of a code with its message, for a claim store of your own. */
  constructor(code: ClaimErrorCode) {
    super(messages[code]);
    this.code = code;
  }
}

/** The key that an open link yields, and the limit that it must keep. */
export function keyOfClaim(
  { user, name, scopes, metadata, keyExpiresAt, allowedAddresses }: ClaimRecord,
  { keyId, digest, createdAt, defaultExpiresAt, maxKeysPerUser }: ClaimedKey,
) {
  const expiresAt = keyExpiresAt ?? defaultExpiresAt;
  const key: StoredKey = {
    keyId,
    digest,
    user,
    ...(name !== undefined && { name }),
    scopes,
    metadata,
    createdAt,
    ...(expiresAt && { expiresAt }),
    ...(allowedAddresses && { allowedAddresses }),
  };
  const limit = maxKeysPerUser === undefined ? undefined : { maxKeysPerUser, now: createdAt };
  return { key, limit };
}

/** The status of a claim link at `now`. At the instant of expiry the link has expired. */
export function claimStatusOf(claim: ClaimRecord, now: Date): ClaimStatus {
  if (claim.claimedAt !== undefined) return 'used';
  if (claim.revokedAt !== undefined) return 'revoked';
  // Written so that an invalid date counts as past.
  return claim.expiresAt.getTime() > now.getTime() ? 'open' : 'expired';
}

import type { ClaimStore } from './claim-store.js';

/** What is kept of a key, apart from its digest. Times are instants; an absent time has not come. */
export interface KeyRecord {
  /** Public, unique: `<prefix>_<10 characters>`. */
  readonly keyId: string;
  readonly user: string;
  /** What the owner calls this key. */
  readonly name?: string;
  readonly scopes: readonly string[];
  /** JSON, of the application's own making. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  /** Behind the truth by at most the manager's `lastUsedIntervalMs`. */
  readonly lastUsedAt?: Date;
  /** The instant from which the key is refused. */
  readonly expiresAt?: Date;
  /** When the key was revoked; whatever the value, it is. */
  readonly revokedAt?: Date;
  /** The key that this one took over from in a rotation. */
  readonly replaces?: string;
  /** The key that took over from this one in a rotation. */
  readonly replacedBy?: string;
  /** While this key waits for its first use after a rotation: how long `replaces` works from then on, in milliseconds. */
  readonly overlapMs?: number;
}

/** A record as it is stored: with its digest, `sha256:<64 lower-case hex>`. It stays between store and manager. */
export interface StoredKey extends KeyRecord {
  readonly digest: string;
}

/**
 * What a record is at an instant, the first that fits: `revoked`; `expired`; `rotating`, usable beside its successor;
 * `expiring`, usable for at most seven more days; `active`.
 */
export type KeyStatus = 'active' | 'expiring' | 'rotating' | 'expired' | 'revoked';

/** A key is called `expiring` from this long before its `expiresAt` on, in milliseconds: seven days. */
export const expiringMs = 7 * 24 * 3_600_000;

export interface KeyQuery {
  /** Records of exactly this user. */
  readonly user?: string | undefined;
  /** Records with this text in the user, the name or the key id: literally, whatever the case of its letters. */
  readonly search?: string | undefined;
  /** Records of this status at `now`; here `active` means every usable key, expiring and rotating ones too. */
  readonly status?: KeyStatus | undefined;
  /** At most this many records. */
  readonly limit: number;
  /** Records after the one with this `keyId`, in the order of the list. */
  readonly cursor?: string | undefined;
  /** The instant for which a status is meant. */
  readonly now: Date;
}

/** What may be changed of a record; `null` takes an optional part away. */
export interface KeyChanges {
  readonly name?: string | null | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly expiresAt?: Date | null | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

export interface Successor {
  readonly keyId: string;
  readonly digest: string;
  /** The instant of the rotation. */
  readonly createdAt: Date;
}

export interface Overlap {
  /** How long the old key goes on working, in milliseconds; never beyond its own `expiresAt`. */
  readonly overlapMs: number;
  /** From when that is counted: the rotation, or the successor's first use. */
  readonly startsAt: 'now' | 'first-use';
}

export interface KeyUse {
  readonly keyId: string;
  readonly usedAt: Date;
}

/** What a store tells the manager that watches it. */
export interface KeyStoreWatcher {
  /** Changes are announced from now on; earlier ones may have been missed. */
  connected(): void;
  /** The connection has just been seen working: nothing was missed until now. */
  alive(): void;
  /** A record was inserted, changed or deleted, by anyone; not told of `lastUsedAt`. */
  changed(keyId: string): void;
  /** Changes may be missed from now on. The store goes on trying to connect. */
  disconnected(): void;
}

/**
 * Where a manager keeps records. Every method is atomic, and rejects with a `KeyStoreError` for what the caller did wrong and
 * with any other error for a fault. A store never interprets a digest and never holds a key.
 * `keyStoreContract` of `require-api-key/testing` is the suite that a store has to pass.
 */
export interface KeyStore {
  /** The record with this digest: one look-up, whatever the number of records. */
  findByDigest(digest: string): Promise<StoredKey | undefined>;
  get(keyId: string): Promise<KeyRecord | undefined>;
  /** Newest first, by `createdAt` and then `keyId`, both descending. Rejects with `unknown_key_id` for an unknown cursor. */
  list(query: KeyQuery): Promise<KeyRecord[]>;
  /** Rejects with `duplicate_key` where the `keyId` or the digest is taken. */
  insert(key: StoredKey): Promise<KeyRecord>;
  /** The changed record. Rejects with `unknown_key_id`. */
  update(keyId: string, changes: KeyChanges): Promise<KeyRecord>;
  /**
   * Adds a successor with the user, name, scopes, metadata and expiry of the old key, and ends the old key:
   * at `createdAt + overlapMs` or its own expiry, whichever comes first; with `first-use`, `overlapMs` is kept on the
   * successor instead, until `touch` sees its first use.
   * Rejects with `unknown_key_id`, `key_not_usable` (revoked, or expired at `createdAt`) or `already_rotated`.
   */
  rotate(
    keyId: string,
    successor: Successor,
    overlap: Overlap,
  ): Promise<{ record: KeyRecord; previous: KeyRecord }>;
  /**
   * Sets `revokedAt` where it is not yet set, on the key or, with `family`, on every key that rotations link to it, in both
   * directions. Resolves to all of them, the named key first. Rejects with `unknown_key_id`.
   */
  revoke(keyId: string, revokedAt: Date, options: { family: boolean }): Promise<KeyRecord[]>;
  /**
   * Moves `lastUsedAt` forward, never back, and changes nothing else, with one exception: the first use of a successor that
   * has `overlapMs` ends its predecessor at `usedAt + overlapMs` or its own expiry, whichever comes first. Unknown ids are
   * passed over.
   */
  touch(uses: readonly KeyUse[]): Promise<void>;
  /** Deletes the records that were revoked or expired before the instant. Resolves to how many. */
  prune(before: Date): Promise<number>;
  /** Announces changes until closed. Absent where a store cannot: then the manager asks again after `cacheTtlMs`. */
  watch?(watcher: KeyStoreWatcher): { close(): Promise<void> };
  /** Claim links. Absent where a store cannot keep them: then a manager makes none. */
  readonly claims?: ClaimStore;
}

/** Why a store could not do what it was asked, where the asker is at fault. */
export type KeyStoreErrorCode = 'unknown_key_id' | 'duplicate_key' | 'key_not_usable' | 'already_rotated';

/** What was asked of a store, or of the manager before it, cannot be done. Holds neither key nor digest. */
export class KeyStoreError extends Error {
  override readonly name = 'KeyStoreError';
  readonly code: KeyStoreErrorCode;

  constructor(code: KeyStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

import { dayMs } from '../lib/durations.js';
import type { ClaimStore } from './claim-store.js';
import type { PageQuery } from './page-query.js';

/** What is kept of a key, apart from its digest. An absent time has not come. */
export interface KeyRecord {
  /** Public, unique: `<prefix>_<10 characters>`. */
  readonly keyId: string;
  /** Whose key it is. */
  readonly user: string;
  /** What its user calls this key; absent where it has no name. */
  readonly name?: string;
  /** What the key may do. */
  readonly scopes: readonly string[];
  /** JSON of the application's own making. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** When the key was made or taken over. */
  readonly createdAt: Date;
  /** When the key was last used; behind the truth by at most the manager's `lastUsedIntervalMs`. */
  readonly lastUsedAt?: Date;
  /** The instant from which the key is refused; absent where it never expires. */
  readonly expiresAt?: Date;
  /** When the key was revoked; where there is any value, it is, also if that lies ahead. */
  readonly revokedAt?: Date;
  /** The key id of the key that this one took over from in a rotation. */
  readonly replaces?: string;
  /** The key id of the key that took over from this one in a rotation. */
  readonly replacedBy?: string;
  /** While this key waits for its first use after a rotation: how long `replaces` works from then on, in milliseconds. */
  readonly overlapMs?: number;
}

/** A record as it is stored: with its digest, `sha256:<64 lower-case hex>`. It stays between store and manager. */
export interface StoredKey extends KeyRecord {
  /** The digest of the key: `sha256:<64 lower-case hex>`. */
  readonly digest: string;
}

/**
 * What a record is at an instant, the first that fits: `revoked`; `expired`; `rotating`, usable beside its successor;
 * `expiring`, usable for at most seven more days; `active`.
 */
export type KeyStatus = 'active' | 'expiring' | 'rotating' | 'expired' | 'revoked';

/** A key is called `expiring` from this long before its `expiresAt` on, in milliseconds: seven days. */
export const expiringMs = 7 * dayMs;

/** Which records a manager asks a store to list. */
export interface KeyQuery extends PageQuery {
  /** Records of exactly this user. Absent: of all. */
  readonly user?: string | undefined;
  /** Records with this text in the user, the name or the key id: literally, whatever the case of its letters. Absent: all. */
  readonly search?: string | undefined;
  /** Records of this status at `now`; here `active` means every usable key, expiring and rotating ones too. Absent: of any. */
  readonly status?: KeyStatus | undefined;
}

/** What is to be different in a record; a part that is absent or `undefined` stays as it is. */
export interface KeyChanges {
  /** What its user calls the key; `null` takes the name away. */
  readonly name?: string | null | undefined;
  /** What the key may do, in place of what it might before. */
  readonly scopes?: readonly string[] | undefined;
  /** The instant from which the key is refused; `null` takes the expiry away. */
  readonly expiresAt?: Date | null | undefined;
  /** JSON, in place of what was there before. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** The key that takes over in a rotation: everything else comes from the old key. */
export interface Successor {
  /** The public name of the successor. */
  readonly keyId: string;
  /** The digest of the successor: `sha256:<64 lower-case hex>`. */
  readonly digest: string;
  /** The instant of the rotation. */
  readonly createdAt: Date;
}

/** How long two keys are valid while clients switch. */
export interface Overlap {
  /** How long the old key goes on working, in milliseconds; never beyond its own `expiresAt`. */
  readonly overlapMs: number;
  /** From when that is counted: the rotation, or the successor's first use. */
  readonly startsAt: 'now' | 'first-use';
}

/** That a key was used, for its `lastUsedAt`. */
export interface KeyUse {
  /** The public name of the key; it may be one that is no longer there. */
  readonly keyId: string;
  /** The instant of the use. */
  readonly usedAt: Date;
}

/** What a store tells the manager that watches it. */
export interface KeyStoreWatcher {
  /** Changes are announced from now on; earlier ones may have been missed. */
  connected(): void;
  /** The connection has just been seen working: nothing was missed until now. */
  alive(): void;
  /**
   * A record was inserted, changed or deleted, by anyone; an empty `keyId` means that any may have been. Not told of `lastUsedAt`.
   */
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
  /**
   * The record with this digest, or `undefined` where there is none: one look-up, whatever the number of records. Expired and revoked
   * keys are found too; whether a key may be used is for the manager to decide.
   */
  findByDigest(digest: string): Promise<StoredKey | undefined>;
  /** The record with this key id, without its digest, or `undefined` where there is none. */
  get(keyId: string): Promise<KeyRecord | undefined>;
  /**
   * Records without their digests, newest first: by `createdAt` and then `keyId`, both descending. Rejects with `unknown_key_id` for
   * an unknown cursor.
   */
  list(query: KeyQuery): Promise<KeyRecord[]>;
  /** Adds a record. Rejects with `duplicate_key` where the `keyId` or the digest is taken. */
  insert(key: StoredKey): Promise<KeyRecord>;
  /**
   * Changes one record and resolves to it. Rejects with `unknown_key_id`, and with `already_rotated`, changing nothing, where the key
   * has a successor and `expiresAt` is later than its own end, or takes that away. Whether it has one is decided together with the
   * change: a rotation that comes between would end the old key, and the change would bring it back to life.
   */
  update(keyId: string, changes: KeyChanges): Promise<KeyRecord>;
  /**
   * Adds a successor with the user, name, scopes, metadata and expiry of the old key, and ends the old key:
   * at `createdAt + overlapMs` or its own expiry, whichever comes first; with `first-use`, `overlapMs` is kept on the
   * successor instead, until `touch` sees its first use. Where the old key has itself an `overlapMs`, for it was never used, the
   * key before it waits for a first use that may not come any more: it is ended too, in the same step, at `createdAt` plus that
   * `overlapMs` or its own expiry, whichever comes first.
   * Rejects with `unknown_key_id`, `key_not_usable` (revoked, or expired at `createdAt`) or `already_rotated`.
   */
  rotate(
    keyId: string,
    successor: Successor,
    overlap: Overlap,
  ): Promise<{
    /** The successor. */
    record: KeyRecord;
    /** The old key as it is now. */
    previous: KeyRecord;
  }>;
  /**
   * Revokes a key: sets `revokedAt` where it is not yet set, on the key or, with `family`, on every key that rotations link to it, in
   * both directions. Resolves to all of them, the named key first. Rejects with `unknown_key_id`.
   */
  revoke(keyId: string, revokedAt: Date, options: { family: boolean }): Promise<KeyRecord[]>;
  /**
   * Moves `lastUsedAt` forward, never back, and changes nothing else, with one exception: the first use of a successor that
   * has `overlapMs` ends its predecessor at `usedAt + overlapMs` or its own expiry, whichever comes first. Unknown ids are
   * passed over.
   */
  touch(uses: readonly KeyUse[]): Promise<void>;
  /**
   * Deletes each record that was revoked or expired at or before the instant, and so was every key that it took over from, directly or
   * further back: while one of those lives, the record is what says that it was rotated. Resolves to how many.
   */
  prune(before: Date): Promise<number>;
  /** Announces changes until closed. Absent where a store cannot: then the manager asks again after `cacheTtlMs`. */
  watch?(watcher: KeyStoreWatcher): {
    /** Ends the announcements, and resolves when whatever was opened for them is closed. */
    close(): Promise<void>;
    /**
     * For how long after `alive` the store is taken to be there, in milliseconds; absent: a store that does not say that it is alive is
     * asked again after `cacheTtlMs`.
     */
    readonly aliveForMs?: number;
  };
  /** Keeps claim links. Absent where a store cannot: then a manager makes none. */
  readonly claims?: ClaimStore;
}

/**
 * Why a store could not do what it was asked, where the asker is at fault. `unknown_key_id`: no record has the key id, or the
 * cursor's. `duplicate_key`: the key id or the key is taken. `key_not_usable`: the key is revoked or expired. `already_rotated`: the
 * key has a successor, and can neither be rotated again nor end later.
 */
export type KeyStoreErrorCode =
  'unknown_key_id' | 'duplicate_key' | 'key_not_usable' | 'already_rotated';

/** What was asked of a store, or of the manager before it, cannot be done. Holds neither key nor digest. */
export class KeyStoreError extends Error {
  /** What tells it from other errors in logs. */
  override readonly name = 'KeyStoreError';
  /** Why it cannot be done, for programs. */
  readonly code: KeyStoreErrorCode;

  /** Makes an error for a store of your own; the message must hold neither key nor digest. */
  constructor(code: KeyStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

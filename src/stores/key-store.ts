import type { ClaimRecord, ClaimStore } from './claim-store.js';
import type { ChangeContext, EventStore } from './key-event.js';
import type { KeyRecord, KeyStatus, PageQuery, StoredKey } from './key-record.js';
import type { UsageStore } from './key-usage.js';

/** Which records a manager asks a store to list. */
export interface KeyQuery extends PageQuery {
  /** Records of exactly this user. Absent: of all. */
  readonly user?: string | undefined;
  /** Records with this text in the user, the name or the key id: literally, whatever the case of its letters. Absent: all. */
  readonly search?: string | undefined;
  /** Records of this status at `now`; here `active` means every usable key, expiring and rotating ones too. Absent: of any. */
  readonly status?: KeyStatus | undefined;
  /**
   * Keys that may be used at `now` and whose last use was at this instant or before. A key that was
   * never used counts from its creation. Absent: all.
   */
  readonly unusedSince?: Date | undefined;
  /** Keys that are neither revoked nor expired at `now` and expire at or before this. Absent: all. */
  readonly expiresBy?: Date | undefined;
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
  /** Whose key it is from now on. */
  readonly user?: string | undefined;
  /** The addresses that may use the key; `[]` for any. */
  readonly allowedAddresses?: readonly string[] | undefined;
}

/** How many keys a user may have. */
export interface KeyLimit {
  /**
   * The most keys of the user, counted with the one that is added: keys that are neither revoked
   * nor expired at `now` and have no successor, paused ones included.
   */
  readonly maxKeysPerUser: number;
  /** The instant for which keys are counted. */
  readonly now: Date;
}

/** What a store needs to know of a change besides the change itself. */
export interface ChangeOptions {
  /** Who changes it and why, for the events. */
  readonly context?: ChangeContext | undefined;
  /**
   * The limit that must hold after the change, counted together with it: of any number of changes
   * at once none goes over it. Rejects with `too_many_keys`, changing nothing. Absent: no limit.
   */
  readonly limit?: KeyLimit | undefined;
}

/** A pause of a key. */
export interface KeyPause {
  /** When it begins. A key that is paused then keeps its `pausedAt`. */
  readonly pausedAt: Date;
  /** When it ends by itself. Absent: when the key is resumed. */
  readonly pausedUntil?: Date | undefined;
}

/** Which keys are about to expire, and how long before. */
export interface NoticeQuery {
  /** How long before its end a key is worth a notice, in milliseconds; each number once. */
  readonly beforeMs: readonly number[];
  /** The instant of the question. */
  readonly now: Date;
}

/** That a key is about to expire. */
export interface KeyNotice {
  /** The key. */
  readonly record: KeyRecord;
  /** The threshold that it has passed, in milliseconds before its end. */
  readonly beforeMs: number;
  /** When it expires. */
  readonly expiresAt: Date;
}

/** What was revoked with a user. */
export interface RevokedUser {
  /** The keys that were revoked now, newest first. */
  readonly keys: KeyRecord[];
  /** The claim links that were revoked now, newest first. */
  readonly claims: ClaimRecord[];
}

/** The key that takes over in a rotation: everything else comes from the old key. */
export interface Successor {
  /** The public name of the successor. */
  readonly keyId: string;
  /** The digest of the successor: `sha256:<64 lower-case hex>`. */
  readonly digest: string;
  /** The instant of the rotation. */
  readonly createdAt: Date;
  /** The only scopes that are passed on, if the old key has them. Absent: all of the old key's. */
  readonly onlyScopes?: readonly string[] | undefined;
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
  insert(key: StoredKey, options?: ChangeOptions): Promise<KeyRecord>;
  /**
   * Changes one record and resolves to it. Rejects with `unknown_key_id`, and with `already_rotated`, changing nothing, where the key
   * has a successor and `expiresAt` is later than its own end, or takes that away. Whether it has one is decided together with the
   * change: a rotation that comes between would end the old key, and the change would bring it back to life.
   */
  update(keyId: string, changes: KeyChanges, options?: ChangeOptions): Promise<KeyRecord>;
  /**
   * Adds a successor with the user, name, scopes, metadata, allowed addresses and expiry of the old key, but not its pause, and ends
   * the old key:
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
    options?: ChangeOptions,
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
  revoke(
    keyId: string,
    revokedAt: Date,
    options: { family: boolean } & ChangeOptions,
  ): Promise<KeyRecord[]>;
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
  prune(before: Date, options?: ChangeOptions): Promise<number>;
  /**
   * Pauses a key, or sets the end of its pause anew. Rejects with `unknown_key_id`, and with
   * `key_not_usable` if the key is revoked, or expired at `pausedAt`. Absent if a store cannot.
   */
  pause?(keyId: string, pause: KeyPause, options?: ChangeOptions): Promise<KeyRecord>;
  /**
   * Ends a pause: removes `pausedAt` and `pausedUntil`. A key that is not paused at `now` stays as
   * it is. Rejects as `pause` does.
   */
  resume?(keyId: string, now: Date, options?: ChangeOptions): Promise<KeyRecord>;
  /**
   * Revokes every key of a user that is not revoked yet, and every open claim link, in one step. A
   * key or link that is added meanwhile is either revoked too or was added after.
   */
  revokeUser?(user: string, revokedAt: Date, options?: ChangeOptions): Promise<RevokedUser>;
  /**
   * The keys that have passed a threshold before their end and were not told of it before: keys
   * that are neither revoked nor expired at `now` and have no successor. Of several thresholds
   * passed only the smallest is told, and it counts for the greater ones too. Each key is told once
   * for each threshold and end, however many ask at once.
   */
  takeNotices?(query: NoticeQuery): Promise<KeyNotice[]>;
  /** Keeps events. Absent if a store cannot. */
  readonly events?: EventStore;
  /** Keeps uses per day. Absent if a store cannot. */
  readonly usage?: UsageStore;
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

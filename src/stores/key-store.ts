import type { ClaimRecord, ClaimStore } from './claim-store.js';
import type { ChangeContext, EventStore } from './key-event.js';
import type { KeyRecord, KeyStatus, PageQuery, StoredKey } from './key-record.js';
import type { UsageStore } from './key-usage.js';

/** Which records a store is asked to list. */
export interface KeyQuery extends PageQuery {
  /** Records of exactly this user. Absent: of all users. */
  readonly user?: string | undefined;
  /**
   * Records that hold this text in the user, the name or the key id. The text is literal and the
   * case of its letters is ignored. Absent: all.
   */
  readonly search?: string | undefined;
  /**
   * Records of this status at `now`. Here `active` means every usable key, including expiring and
   * rotating ones. Absent: of any status.
   */
  readonly status?: KeyStatus | undefined;
  /**
   * Keys that are usable at `now` and were last used at or before this instant. A key that was
   * never used counts from its creation. Absent: all.
   */
  readonly unusedSince?: Date | undefined;
  /**
   * Keys that are neither revoked nor expired at `now` and expire at or before this instant.
   * Absent: all.
   */
  readonly expiresBy?: Date | undefined;
}

/** Changes to a record. A field that is absent or `undefined` stays as it is. */
export interface KeyUpdate {
  /** The name of the key. `null` removes it. */
  readonly name?: string | null | undefined;
  /** What the key may do, in place of its scopes before. */
  readonly scopes?: readonly string[] | undefined;
  /** The instant from which the key is refused. `null` removes the expiry. */
  readonly expiresAt?: Date | null | undefined;
  /** JSON, in place of the metadata before. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** The user that the key belongs to from now on. */
  readonly user?: string | undefined;
  /** The addresses that may use the key. `[]` allows any. */
  readonly allowedAddresses?: readonly string[] | undefined;
}

/** How many keys a user may have. */
export interface KeyLimit {
  /**
   * The most keys of the user, including the one that is added. Keys count if they are neither
   * revoked nor expired at `now` and have no successor. Paused keys count.
   */
  readonly maxKeysPerUser: number;
  /** The instant at which keys are counted. */
  readonly now: Date;
}

/** What a store needs to know about a change besides the change itself. */
export interface WriteOptions {
  /** Who makes the change and why, for the events. */
  readonly context?: ChangeContext | undefined;
  /**
   * The limit that must hold after the change. It is checked together with the change, so
   * concurrent changes cannot exceed it. Rejects with `too_many_keys`, changing nothing. Absent:
   * no limit.
   */
  readonly limit?: KeyLimit | undefined;
}

/** A pause of a key. */
export interface KeyPause {
  /** When the pause begins. A key that is already paused keeps its `pausedAt`. */
  readonly pausedAt: Date;
  /** When the pause ends by itself. Absent: when the key is resumed. */
  readonly pausedUntil?: Date | undefined;
}

/** Which keys are about to expire, and how long before. */
export interface NoticeQuery {
  /** How long before its end a key deserves a notice, in milliseconds. Each number once. */
  readonly beforeMs: readonly number[];
  /** The instant at which keys are judged. */
  readonly now: Date;
}

/** A key is about to expire. */
export interface KeyNotice {
  /** The key. */
  readonly record: KeyRecord;
  /** The threshold that was passed, in milliseconds before the end. */
  readonly beforeMs: number;
  /** When the key expires. */
  readonly expiresAt: Date;
}

/** What was revoked together with a user. */
export interface RevokedAll {
  /** The keys that this call revoked, newest first. */
  readonly keys: KeyRecord[];
  /** The claim links that this call revoked, newest first. */
  readonly claims: ClaimRecord[];
}

/** The key that replaces another in a rotation. Everything else comes from the old key. */
export interface Successor {
  /** The public name of the successor. */
  readonly keyId: string;
  /** The digest of the successor: `sha256:<64 lower-case hex>`. */
  readonly digest: string;
  /** The instant of the rotation. */
  readonly createdAt: Date;
  /** The only scopes that the successor may inherit. Absent: all of the old key's. */
  readonly onlyScopes?: readonly string[] | undefined;
}

/** How long both keys work while clients switch. */
export interface Overlap {
  /** How long the old key still works, in milliseconds. It never outlives its own `expiresAt`. */
  readonly overlapMs: number;
  /** When the overlap starts: at the rotation, or at the successor's first use. */
  readonly startsAt: 'now' | 'first-use';
}

/** One use of a key, for its `lastUsedAt`. */
export interface KeyUse {
  /** The public name of the key. Its record may be gone. */
  readonly keyId: string;
  /** The instant of the use. */
  readonly usedAt: Date;
}

/** How a store notifies the manager that watches it. */
export interface KeyStoreWatcher {
  /** Changes are announced from now on. Earlier ones may have been missed. */
  connected(): void;
  /** The connection was just seen working, so no change was missed until now. */
  alive(): void;
  /**
   * A record was inserted, changed or deleted, by anyone. An empty `keyId` means that any record
   * may have changed. Changes to `lastUsedAt` are not announced.
   */
  changed(keyId: string): void;
  /** Changes may be missed from now on. The store keeps trying to connect. */
  disconnected(): void;
  /** How long no key was asked for, in milliseconds. Absent: the store never rests. */
  idleMs?(): number;
  /**
   * Heartbeats and attempts to connect have stopped. They continue when the manager calls
   * `check`, with the next key that is asked for. Changes are still announced, unless `isSilent`.
   * Then no cached key is trusted before the check.
   *
   * @param isSilent default `false`
   */
  resting?(isSilent?: boolean): void;
}

/**
 * Keeps the records of a manager. A store never interprets a digest and never holds a key.
 *
 * Every method is atomic. It rejects with a `KeyStoreError` if the caller is at fault, and with
 * any other error if the store is. A store must pass the suite `keyStoreContract` of
 * `require-api-key/testing`.
 */
export interface KeyStore {
  /**
   * Finds the record with this digest, or `undefined`. Takes one look-up, however many records
   * there are. Expired and revoked keys are found too: the manager decides whether a key may be
   * used.
   */
  findByDigest(digest: string): Promise<StoredKey | undefined>;
  /** Finds the record with this key id, without its digest, or `undefined`. */
  get(keyId: string): Promise<KeyRecord | undefined>;
  /**
   * Lists records without their digests, newest first: by `createdAt`, then `keyId`, both
   * descending. Rejects with `unknown_key_id` for an unknown cursor.
   */
  list(query: KeyQuery): Promise<KeyRecord[]>;
  /** Adds a record. Rejects with `duplicate_key` if the `keyId` or the digest is taken. */
  insert(key: StoredKey, options?: WriteOptions): Promise<KeyRecord>;
  /**
   * Changes one record and resolves to it. Rejects with `unknown_key_id`.
   *
   * Rejects with `already_rotated`, changing nothing, if the key has a successor and the change
   * would remove its end or set a later one. The check and the change are one step. Otherwise a
   * rotation in between could be undone, and the old key would live again.
   */
  update(keyId: string, changes: KeyUpdate, options?: WriteOptions): Promise<KeyRecord>;
  /**
   * Replaces a key: adds a successor and ends the old key. The successor inherits user, name,
   * scopes, metadata, allowed addresses and expiry, but not a pause.
   *
   * The old key ends at `createdAt + overlapMs`, or at its own expiry if that is earlier. With
   * `first-use`, the successor keeps `overlapMs` until `touch` sees its first use.
   *
   * The old key may still have an `overlapMs` itself, if it was never used. Then the key before
   * it waits for a first use that may never come. So this step ends that key too, at `createdAt`
   * plus that `overlapMs`, or at its own expiry if that is earlier.
   *
   * Rejects with `unknown_key_id`, `key_not_usable` (revoked, or expired at `createdAt`) or
   * `already_rotated`.
   */
  rotate(
    keyId: string,
    successor: Successor,
    overlap: Overlap,
    options?: WriteOptions,
  ): Promise<{
    /** The successor. */
    record: KeyRecord;
    /** The old key as it is now. */
    previous: KeyRecord;
  }>;
  /**
   * Revokes a key: sets `revokedAt` if it is not set yet. With `family`, revokes every key that
   * rotations link to it, in both directions. Resolves to all of them, the named key first.
   * Rejects with `unknown_key_id`.
   */
  revoke(
    keyId: string,
    revokedAt: Date,
    options: { family: boolean } & WriteOptions,
  ): Promise<KeyRecord[]>;
  /**
   * Moves `lastUsedAt` forward, never back. Unknown ids are ignored.
   *
   * Nothing else changes, with one exception. The first use of a successor that has `overlapMs`
   * ends the key before it, at `usedAt + overlapMs`, or at its own expiry if that is earlier.
   */
  touch(uses: readonly KeyUse[]): Promise<void>;
  /**
   * Deletes the records that were revoked or expired at or before the instant. Resolves to their
   * number. A record stays while a key that it replaced, directly or further back, is still
   * alive: only the record shows that this key was rotated.
   */
  prune(before: Date, options?: WriteOptions): Promise<number>;
  /**
   * Pauses a key, or changes the end of its pause. Rejects with `unknown_key_id`, and with
   * `key_not_usable` if the key is revoked, or expired at `pausedAt`. Absent if the store cannot
   * pause.
   */
  pause?(keyId: string, pause: KeyPause, options?: WriteOptions): Promise<KeyRecord>;
  /**
   * Ends a pause: removes `pausedAt` and `pausedUntil`. Does nothing if the key is not paused at
   * `now`. Rejects as `pause` does.
   */
  resume?(keyId: string, now: Date, options?: WriteOptions): Promise<KeyRecord>;
  /**
   * Revokes every unrevoked key and every open claim link of a user, in one step. A key or link
   * added at the same time is either revoked too or counts as added afterwards.
   */
  revokeUser?(user: string, revokedAt: Date, options?: WriteOptions): Promise<RevokedAll>;
  /**
   * Finds the keys that have passed a threshold before their end since they were last reported.
   * Only keys that are neither revoked nor expired at `now` and have no successor count.
   *
   * If a key has passed several thresholds, only the smallest is reported, and it settles the
   * greater ones. Each key is reported once for each threshold and end, even if many processes
   * ask at once.
   */
  takeNotices?(query: NoticeQuery): Promise<KeyNotice[]>;
  /** Keeps events. Absent if the store cannot. */
  readonly events?: EventStore;
  /** Keeps uses per day. Absent if the store cannot. */
  readonly usage?: UsageStore;
  /**
   * Announces changes until closed. Absent if the store cannot. Then the manager asks again after
   * `cacheTtlMs`.
   */
  watch?(watcher: KeyStoreWatcher): {
    /** Stops announcing. Resolves when everything opened for the watch is closed. */
    close(): Promise<void>;
    /**
     * How long the store is considered present after `alive`, in milliseconds. Absent for a store
     * that never calls `alive`: it is asked again after `cacheTtlMs`.
     */
    readonly aliveForMs?: number;
    /**
     * Resolves once every change made before the call has been announced, and ends a rest.
     * Rejects if that cannot be known. Called after a time in which the process may have been
     * frozen. Absent if announcements come from this process, so that none can be unread.
     */
    check?(): Promise<void>;
  };
  /** Keeps claim links. Absent if the store cannot. Then a manager makes none. */
  readonly claims?: ClaimStore;
}

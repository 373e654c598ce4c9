import { whyNotUsable } from '../../keys/admission.js';
import { searchPattern } from '../../lib/search-pattern.js';
import type { ClaimStore } from '../claim-store.js';
import { changesBetween, createEvent } from '../event-changes.js';
import type { ChangeContext, EventStore, KeyEventType } from '../key-event.js';
import {
  alreadyRotated,
  duplicateKey,
  endsWithOverlap,
  keyNotUsable,
  tooManyKeys,
} from '../key-store-error.js';
import { hasStatus, isOver, type KeyRecord, type StoredKey } from '../key-record.js';
import type {
  WriteOptions,
  KeyUpdate,
  KeyLimit,
  KeyNotice,
  KeyPause,
  KeyQuery,
  KeyStore,
  KeyStoreWatcher,
  KeyUse,
  NoticeQuery,
  Overlap,
  RevokedAll,
  Successor,
} from '../key-store.js';
import type { UsageStore } from '../key-usage.js';
import { endingAt, endOf, inheritedFrom, withChanges } from './changed-key.js';
import { MemoryClaimStore } from './memory-claim-store.js';
import { MemoryEvents } from './memory-events.js';
import { MemoryKeyTable } from './memory-key-table.js';
import { MemoryNotices } from './memory-notices.js';
import { MemoryUsage } from './memory-usage.js';

/**
 * Keeps records in this process, for tests and experiments. They are gone when the process ends.
 * Takes no options.
 */
export class MemoryKeyStore implements KeyStore {
  /** Keeps claim links, in this process too. */
  readonly claims: ClaimStore;
  /** Keeps events, in this process too. */
  readonly events: EventStore;
  /** Keeps uses per day, in this process too. */
  readonly usage: UsageStore = new MemoryUsage();
  readonly #table = new MemoryKeyTable();
  readonly #events = new MemoryEvents();
  readonly #notices = new MemoryNotices();
  readonly #claims: MemoryClaimStore;

  /** Makes an empty store. */
  constructor() {
    this.events = this.#events;
    this.#claims = new MemoryClaimStore(this.#events, (key, limit) => this.#add(key, limit));
    this.claims = this.#claims;
  }

  async findByDigest(digest: string): Promise<StoredKey | undefined> {
    const key = this.#table.byDigest(digest);
    return key && this.#table.linked(key);
  }

  async get(keyId: string): Promise<KeyRecord | undefined> {
    const key = this.#table.get(keyId);
    return key && this.#table.record(key);
  }

  async list(query: KeyQuery): Promise<KeyRecord[]> {
    const { user, search, status, limit, cursor, now } = query;
    const records = this.#table.records();
    // Rejects an unknown cursor with `unknown_key_id`.
    if (cursor !== undefined) this.#table.existing(cursor);
    const start = cursor === undefined ? 0 : records.findIndex(({ keyId }) => keyId === cursor) + 1;
    return records
      .slice(start)
      .filter((record) => user === undefined || record.user === user)
      .filter((record) => search === undefined || holds(record, search))
      .filter((record) => status === undefined || hasStatus(record, status, now))
      .filter((record) => isUnused(record, query) && isExpiring(record, query))
      .slice(0, limit);
  }

  async insert(key: StoredKey, { context, limit }: WriteOptions = {}): Promise<KeyRecord> {
    const record = this.#add(key, limit);
    this.#addEvent(context?.isImport ? 'imported' : 'created', key, context, key.createdAt);
    return record;
  }

  async update(
    keyId: string,
    changes: KeyUpdate,
    { context, limit }: WriteOptions = {},
  ): Promise<KeyRecord> {
    const old = this.#table.existing(keyId);
    const { expiresAt } = changes;
    if (
      expiresAt !== undefined &&
      this.#table.hasSuccessor(keyId) &&
      endOf(expiresAt) > endOf(old.expiresAt)
    ) {
      throw endsWithOverlap();
    }
    const changed = withChanges(old, changes);
    if (changed.user !== old.user) this.#assertRoom(changed, limit);
    return this.#change('updated', old, changed, context);
  }

  async rotate(
    keyId: string,
    { keyId: successorId, digest, createdAt, onlyScopes }: Successor,
    { overlapMs, startsAt }: Overlap,
    { context }: WriteOptions = {},
  ): Promise<{
    /** The successor. */
    record: KeyRecord;
    /** The old key as it is now. */
    previous: KeyRecord;
  }> {
    const old = this.#table.existing(keyId);
    if (this.#table.hasSuccessor(keyId)) throw alreadyRotated();
    if (isOver(old, createdAt)) throw keyNotUsable();
    const before = this.#table.record(old);
    const awaitsFirstUse = startsAt === 'first-use';
    this.#table.link(keyId, successorId);
    const successor = this.#table.put({
      ...inheritedFrom(old),
      ...(onlyScopes && { scopes: old.scopes.filter((scope) => onlyScopes.includes(scope)) }),
      keyId: successorId,
      digest,
      createdAt,
      replaces: keyId,
      ...(awaitsFirstUse && { overlapMs }),
    });
    const previous = this.#table.record(
      awaitsFirstUse ? old : this.#table.put(endingAt(old, createdAt.getTime() + overlapMs)),
    );
    this.#addEvent('rotated', old, context, createdAt, changesBetween(before, previous));
    this.#addEvent('created', successor, context, createdAt);
    this.#endPredecessor(old, createdAt, context);
    return { record: this.#table.record(successor), previous };
  }

  async revoke(
    keyId: string,
    revokedAt: Date,
    { family, context }: { family: boolean } & WriteOptions,
  ): Promise<KeyRecord[]> {
    const named = this.#table.existing(keyId);
    return (family ? this.#table.familyOf(named) : [named]).map((key) =>
      this.#revoke(key, revokedAt, context),
    );
  }

  /** Revokes every key and every open claim link of a user, in one step. */
  async revokeUser(
    user: string,
    revokedAt: Date,
    { context }: WriteOptions = {},
  ): Promise<RevokedAll> {
    const living = this.#table
      .records()
      .filter((record) => record.user === user && !record.revokedAt);
    return {
      keys: living.map(({ keyId }) =>
        this.#revoke(this.#table.existing(keyId), revokedAt, context),
      ),
      claims: this.#claims.revokeUser(user, revokedAt, context),
    };
  }

  /** Pauses a key, or changes the end of its pause. */
  async pause(
    keyId: string,
    { pausedAt, pausedUntil }: KeyPause,
    { context }: WriteOptions = {},
  ): Promise<KeyRecord> {
    const old = this.#table.existing(keyId);
    if (isOver(old, pausedAt)) throw keyNotUsable();
    const isPaused = whyNotUsable(old, pausedAt.getTime()) === 'paused_api_key';
    const { pausedUntil: _before, ...rest } = old;
    const paused = {
      ...rest,
      pausedAt: isPaused ? old.pausedAt! : pausedAt,
      ...(pausedUntil && { pausedUntil }),
    };
    return this.#change('paused', old, paused, context, pausedAt, !isPaused);
  }

  /** Ends a pause. */
  async resume(keyId: string, now: Date, { context }: WriteOptions = {}): Promise<KeyRecord> {
    const old = this.#table.existing(keyId);
    if (isOver(old, now)) throw keyNotUsable();
    if (whyNotUsable(old, now.getTime()) !== 'paused_api_key') return this.#table.record(old);
    const { pausedAt: _pausedAt, pausedUntil: _pausedUntil, ...resumed } = old;
    return this.#change('resumed', old, resumed, context, now, true);
  }

  async touch(uses: readonly KeyUse[]): Promise<void> {
    for (const { keyId, usedAt } of uses) {
      const key = this.#table.get(keyId);
      if (!key || (key.lastUsedAt && key.lastUsedAt >= usedAt)) continue;
      const { overlapMs: _overlapMs, ...used } = { ...key, lastUsedAt: usedAt };
      // Only kept: a last use is not announced.
      this.#table.keep(used);
      this.#endPredecessor(key, usedAt, undefined);
    }
  }

  async prune(before: Date, { context }: WriteOptions = {}): Promise<number> {
    const isDead = ({ revokedAt, expiresAt }: StoredKey) =>
      (revokedAt && revokedAt <= before) || (expiresAt && expiresAt <= before);
    const dead = this.#table
      .all()
      .filter((key) => isDead(key) && this.#table.predecessorsOf(key).every(isDead));
    for (const key of dead) {
      this.#table.delete(key);
      this.#notices.forget(key.keyId);
      this.#addEvent('deleted', key, context);
    }
    return dead.length;
  }

  /** Finds the keys that have come close to their end and were not reported yet. */
  async takeNotices(query: NoticeQuery): Promise<KeyNotice[]> {
    return this.#notices.take(this.#table.records(), query);
  }

  watch(watcher: KeyStoreWatcher): {
    /** Stops announcing. */
    close(): Promise<void>;
  } {
    return this.#table.watch(watcher);
  }

  /** Adds a key or throws, synchronously. */
  #add(key: StoredKey, limit: KeyLimit | undefined): KeyRecord {
    if (this.#table.get(key.keyId) || this.#table.byDigest(key.digest)) throw duplicateKey();
    this.#assertRoom(key, limit);
    return this.#table.record(this.#table.put(key));
  }

  #assertRoom(added: StoredKey, limit: KeyLimit | undefined): void {
    if (!limit) return;
    const { maxKeysPerUser, now } = limit;
    const counts = (key: StoredKey) => !isOver(key, now) && !this.#table.hasSuccessor(key.keyId);
    if (!counts(added)) return;
    const others = this.#table.all().filter((key) => key.user === added.user && counts(key));
    if (others.length >= maxKeysPerUser) throw tooManyKeys();
  }

  #revoke(key: StoredKey, revokedAt: Date, context: ChangeContext | undefined): KeyRecord {
    if (key.revokedAt) return this.#table.record(key);
    const record = this.#table.record(this.#table.put({ ...key, revokedAt }));
    this.#addEvent('revoked', key, context, revokedAt);
    return record;
  }

  /** Ends the key before this one, which may wait for a first use that will never come. */
  #endPredecessor(
    { replaces, overlapMs }: StoredKey,
    from: Date,
    context: ChangeContext | undefined,
  ): void {
    const predecessor = overlapMs === undefined ? undefined : this.#table.get(replaces ?? '');
    if (!predecessor) return;
    this.#change(
      'updated',
      predecessor,
      endingAt(predecessor, from.getTime() + overlapMs!),
      context,
      from,
    );
  }

  /** Keeps a changed record. Adds an event if anything changed. */
  #change(
    what: KeyEventType,
    old: StoredKey,
    changed: StoredKey,
    context: ChangeContext | undefined,
    at?: Date,
    isChange = false,
  ): KeyRecord {
    const before = this.#table.record(old);
    const record = this.#table.record(this.#table.put(changed));
    const changes = changesBetween(before, record);
    if (changes || isChange) this.#addEvent(what, changed, context, at, changes);
    return record;
  }

  #addEvent(
    what: KeyEventType,
    { keyId, user }: StoredKey,
    context: ChangeContext | undefined,
    at = new Date(),
    changes?: ReturnType<typeof changesBetween>,
  ): void {
    this.#events.add(createEvent(what, { keyId, user }, context ?? { via: 'code', at }, changes));
  }
}

const isUnused = (record: KeyRecord, { unusedSince, now }: KeyQuery) =>
  unusedSince === undefined ||
  ((record.lastUsedAt ?? record.createdAt) <= unusedSince &&
    whyNotUsable(record, now.getTime()) === undefined);

const isExpiring = (record: KeyRecord, { expiresBy, now }: KeyQuery) =>
  expiresBy === undefined ||
  (record.revokedAt === undefined &&
    record.expiresAt !== undefined &&
    record.expiresAt > now &&
    record.expiresAt <= expiresBy);

function holds({ user, name = '', keyId }: KeyRecord, search: string): boolean {
  const pattern = new RegExp(searchPattern(search), 'u');
  return [user, name, keyId].some((text) => pattern.test(text));
}

import { deepCopy } from '../../lib/deep-copy.js';
import { searchPattern } from '../../lib/search-pattern.js';
import type { ClaimStore } from '../claim-store.js';
import {
  alreadyRotated,
  duplicateKey,
  endsWithOverlap,
  keyNotUsable,
  unknownKeyId,
} from '../key-store-error.js';
import { hasStatus, type KeyRecord, type StoredKey } from '../key-record.js';
import type {
  KeyChanges,
  KeyQuery,
  KeyStore,
  KeyStoreWatcher,
  KeyUse,
  Overlap,
  Successor,
} from '../key-store.js';
import { MemoryClaimStore } from './memory-claim-store.js';

/** Keeps records in this process, for tests and for trying things out: they are gone when it ends. Takes no options. */
export class MemoryKeyStore implements KeyStore {
  /** Keeps claim links, in this process too. */
  readonly claims: ClaimStore = new MemoryClaimStore((key) => this.#insert(key));
  readonly #keys = new Map<string, StoredKey>();
  readonly #keyIds = new Map<string, string>();
  readonly #successors = new Map<string, string>();
  readonly #watchers = new Set<KeyStoreWatcher>();

  async findByDigest(digest: string): Promise<StoredKey | undefined> {
    const keyId = this.#keyIds.get(digest);
    return keyId === undefined ? undefined : this.#linked(this.#keys.get(keyId)!);
  }

  async get(keyId: string): Promise<KeyRecord | undefined> {
    const key = this.#keys.get(keyId);
    return key && this.#record(key);
  }

  async list({ user, search, status, limit, cursor, now }: KeyQuery): Promise<KeyRecord[]> {
    const records = [...this.#keys.values()].map((key) => this.#record(key)).toSorted(newestFirst);
    const start = cursor === undefined ? 0 : records.findIndex(({ keyId }) => keyId === cursor) + 1;
    if (cursor !== undefined && start === 0) throw unknownKeyId();
    return records
      .slice(start)
      .filter((record) => user === undefined || record.user === user)
      .filter((record) => search === undefined || holds(record, search))
      .filter((record) => status === undefined || hasStatus(record, status, now))
      .slice(0, limit);
  }

  async insert(key: StoredKey): Promise<KeyRecord> {
    return this.#insert(key);
  }

  async update(
    keyId: string,
    { name, scopes, expiresAt, metadata }: KeyChanges,
  ): Promise<KeyRecord> {
    const { name: oldName, expiresAt: oldExpiresAt, ...old } = this.#existing(keyId);
    const [newName, newExpiresAt] = [
      name === undefined ? oldName : name,
      expiresAt === undefined ? oldExpiresAt : expiresAt,
    ];
    if (this.#successors.has(keyId) && endOf(newExpiresAt) > endOf(oldExpiresAt)) {
      throw endsWithOverlap();
    }
    const changed: StoredKey = {
      ...old,
      ...(scopes && { scopes }),
      ...(metadata && { metadata }),
      ...(newName != null && { name: newName }),
      ...(newExpiresAt != null && { expiresAt: newExpiresAt }),
    };
    return this.#record(this.#put(changed));
  }

  async rotate(
    keyId: string,
    { keyId: successorId, digest, createdAt }: Successor,
    { overlapMs, startsAt }: Overlap,
  ): Promise<{
    /** The successor. */
    record: KeyRecord;
    /** The old key as it is now. */
    previous: KeyRecord;
  }> {
    const old = this.#existing(keyId);
    if (this.#successors.has(keyId)) throw alreadyRotated();
    if (old.revokedAt || (old.expiresAt && old.expiresAt <= createdAt)) throw keyNotUsable();
    const { lastUsedAt: _lastUsedAt, overlapMs: forgottenMs, replaces = '', ...inherited } = old;
    const awaitsFirstUse = startsAt === 'first-use';
    this.#successors.set(keyId, successorId);
    const successor = this.#put({
      ...inherited,
      keyId: successorId,
      digest,
      createdAt,
      replaces: keyId,
      ...(awaitsFirstUse && { overlapMs }),
    });
    const previous = awaitsFirstUse
      ? old
      : this.#put(endingAt(old, createdAt.getTime() + overlapMs));
    const forgotten = forgottenMs === undefined ? undefined : this.#keys.get(replaces);
    if (forgotten) this.#put(endingAt(forgotten, createdAt.getTime() + forgottenMs!));
    return { record: this.#record(successor), previous: this.#record(previous) };
  }

  async revoke(
    keyId: string,
    revokedAt: Date,
    { family }: { family: boolean },
  ): Promise<KeyRecord[]> {
    const named = this.#existing(keyId);
    return (family ? this.#familyOf(named) : [named]).map((key) =>
      this.#record(key.revokedAt ? key : this.#put({ ...key, revokedAt })),
    );
  }

  async touch(uses: readonly KeyUse[]): Promise<void> {
    for (const { keyId, usedAt } of uses) {
      const key = this.#keys.get(keyId);
      if (!key || (key.lastUsedAt && key.lastUsedAt >= usedAt)) continue;
      const { overlapMs, ...used } = { ...key, lastUsedAt: usedAt };
      // Kept only: a last use is no change to announce.
      this.#keep(used);
      const previous = overlapMs === undefined ? undefined : this.#keys.get(key.replaces!);
      if (previous) this.#put(endingAt(previous, usedAt.getTime() + overlapMs!));
    }
  }

  async prune(before: Date): Promise<number> {
    const isDead = ({ revokedAt, expiresAt }: StoredKey) =>
      (revokedAt && revokedAt <= before) || (expiresAt && expiresAt <= before);
    const dead = [...this.#keys.values()].filter(
      (key) => isDead(key) && this.#predecessorsOf(key).every(isDead),
    );
    for (const { keyId, digest, replaces } of dead) {
      this.#keys.delete(keyId);
      this.#keyIds.delete(digest);
      if (replaces !== undefined) this.#successors.delete(replaces);
      this.#announce(keyId);
    }
    return dead.length;
  }

  watch(watcher: KeyStoreWatcher): {
    /** Ends the announcements. */
    close(): Promise<void>;
  } {
    this.#watchers.add(watcher);
    watcher.connected();
    return {
      close: async () => void this.#watchers.delete(watcher),
    };
  }

  #insert(key: StoredKey): KeyRecord {
    if (this.#keys.has(key.keyId) || this.#keyIds.has(key.digest)) throw duplicateKey();
    return this.#record(this.#put(key));
  }

  #existing(keyId: string): StoredKey {
    const key = this.#keys.get(keyId);
    if (!key) throw unknownKeyId();
    return key;
  }

  #put(key: StoredKey): StoredKey {
    const kept = this.#keep(key);
    this.#announce(key.keyId);
    return kept;
  }

  /** The one place where something from outside is kept: a copy, which nobody else can change. */
  #keep(key: StoredKey): StoredKey {
    const kept = deepCopy(key);
    this.#keys.set(kept.keyId, kept);
    this.#keyIds.set(kept.digest, kept.keyId);
    return kept;
  }

  #announce(keyId: string): void {
    for (const watcher of this.#watchers) watcher.changed(keyId);
  }

  #linked(key: StoredKey): StoredKey {
    const replacedBy = this.#successors.get(key.keyId);
    return deepCopy(replacedBy === undefined ? key : { ...key, replacedBy });
  }

  #record(key: StoredKey): KeyRecord {
    const { digest: _digest, ...record } = this.#linked(key);
    return record;
  }

  #predecessorsOf({ replaces }: StoredKey): StoredKey[] {
    const found = new Set<StoredKey>();
    for (let key = this.#keys.get(replaces ?? ''); key && !found.has(key);) {
      found.add(key);
      key = this.#keys.get(key.replaces ?? '');
    }
    return [...found];
  }

  #familyOf(named: StoredKey): StoredKey[] {
    const family = [named, ...this.#predecessorsOf(named)];
    for (
      let id = this.#successors.get(named.keyId);
      id !== undefined;
      id = this.#successors.get(id)
    ) {
      family.push(this.#keys.get(id)!);
    }
    return family;
  }
}

const newestFirst = (a: KeyRecord, b: KeyRecord) =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a.keyId < b.keyId ? 1 : -1);

function holds({ user, name = '', keyId }: KeyRecord, search: string): boolean {
  const pattern = new RegExp(searchPattern(search), 'u');
  return [user, name, keyId].some((text) => pattern.test(text));
}

const endOf = (expiresAt: Date | null | undefined) =>
  expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;

function endingAt(key: StoredKey, deadline: number): StoredKey {
  return { ...key, expiresAt: new Date(Math.min(deadline, endOf(key.expiresAt))) };
}

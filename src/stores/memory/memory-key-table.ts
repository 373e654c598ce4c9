import { deepCopy } from '../../lib/values.js';
import { unknownKeyId } from '../key-store-error.js';
import type { KeyRecord, StoredKey } from '../key-record.js';
import type { KeyStoreWatcher } from '../key-store.js';

/** The records of a `MemoryKeyStore` and the links between rotated keys. Knows no rules. */
export class MemoryKeyTable {
  readonly #keys = new Map<string, StoredKey>();
  readonly #keyIds = new Map<string, string>();
  readonly #successors = new Map<string, string>();
  readonly #watchers = new Set<KeyStoreWatcher>();

  get(keyId: string): StoredKey | undefined {
    return this.#keys.get(keyId);
  }

  /** @throws {KeyStoreError} `unknown_key_id` */
  existing(keyId: string): StoredKey {
    const key = this.#keys.get(keyId);
    if (!key) throw unknownKeyId();
    return key;
  }

  byDigest(digest: string): StoredKey | undefined {
    return this.#keys.get(this.#keyIds.get(digest) ?? '');
  }

  all(): StoredKey[] {
    return [...this.#keys.values()];
  }

  /** Newest first. */
  records(): KeyRecord[] {
    return this.all()
      .map((key) => this.record(key))
      .toSorted(newestFirst);
  }

  put(key: StoredKey): StoredKey {
    const kept = this.keep(key);
    this.#announce(key.keyId);
    return kept;
  }

  /**
   * Like `put`, but without notifying watchers: a last use is not announced. The only place that
   * keeps outside data. It stores a frozen copy, which nobody else can change.
   */
  keep(key: StoredKey): StoredKey {
    const kept = deepCopy(key);
    this.#keys.set(kept.keyId, kept);
    this.#keyIds.set(kept.digest, kept.keyId);
    return kept;
  }

  delete({ keyId, digest, replaces }: StoredKey): void {
    this.#keys.delete(keyId);
    this.#keyIds.delete(digest);
    if (replaces !== undefined) this.#successors.delete(replaces);
    this.#announce(keyId);
  }

  link(keyId: string, successorId: string): void {
    this.#successors.set(keyId, successorId);
  }

  hasSuccessor(keyId: string): boolean {
    return this.#successors.has(keyId);
  }

  /** A copy of a key, with the id of its successor. */
  linked(key: StoredKey): StoredKey {
    const replacedBy = this.#successors.get(key.keyId);
    return deepCopy(replacedBy === undefined ? key : { ...key, replacedBy });
  }

  record(key: StoredKey): KeyRecord {
    const { digest: _digest, ...record } = this.linked(key);
    return record;
  }

  predecessorsOf({ replaces }: StoredKey): StoredKey[] {
    const found = new Set<StoredKey>();
    for (let key = this.#keys.get(replaces ?? ''); key && !found.has(key);) {
      found.add(key);
      key = this.#keys.get(key.replaces ?? '');
    }
    return [...found];
  }

  familyOf(named: StoredKey): StoredKey[] {
    const family = [named, ...this.predecessorsOf(named)];
    for (
      let id = this.#successors.get(named.keyId);
      id !== undefined;
      id = this.#successors.get(id)
    ) {
      family.push(this.#keys.get(id)!);
    }
    return family;
  }

  watch(watcher: KeyStoreWatcher): { close(): Promise<void> } {
    this.#watchers.add(watcher);
    watcher.connected();
    return { close: async () => void this.#watchers.delete(watcher) };
  }

  #announce(keyId: string): void {
    for (const watcher of this.#watchers) watcher.changed(keyId);
  }
}

const newestFirst = (a: KeyRecord, b: KeyRecord) =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a.keyId < b.keyId ? 1 : -1);

import type { Digest } from '../../keys/digest.js';
import type { CachedKey } from './cached-key.js';
import type { ClockReading } from './clock-reading.js';
import type { WatchEpoch } from './store-watch.js';

/** The store's answer for a digest, and how far it can be trusted. */
export interface CacheEntry {
  readonly digest: Digest;
  /** `undefined`: no key has this digest. */
  readonly key: CachedKey | undefined;
  /** When its query was sent. The answer may miss later changes. */
  readonly askedAt: ClockReading;
  /** The watch epoch in which its query was sent, if any. */
  readonly epoch: WatchEpoch | undefined;
  /** Whether it was used since room was last needed. */
  wasUsed: boolean;
}

/**
 * Entries by digest, at most `max`. If it is full, an entry that was not used since the last
 * round is evicted. This is second-chance eviction: a hit sets one mark, while
 * least-recently-used order would update a list.
 */
export class KeyCache {
  readonly #max: number;
  readonly #entries = new Map<Digest, CacheEntry>();
  readonly #byKeyId = new Map<string, CacheEntry>();

  constructor(max: number) {
    this.#max = max;
  }

  get(digest: Digest): CacheEntry | undefined {
    const entry = this.#entries.get(digest);
    // Written only if it changes: memory that is only read stays in the processor's caches.
    if (entry && !entry.wasUsed) entry.wasUsed = true;
    return entry;
  }

  /** Replaces the entry of this digest, and an entry of this key under another digest. */
  set(entry: CacheEntry): void {
    const { digest, key } = entry;
    this.delete(digest);
    if (key) {
      const before = this.#byKeyId.get(key.keyId);
      if (before) this.delete(before.digest);
    }
    if (this.#entries.size >= this.#max) this.#evict();
    this.#entries.set(digest, entry);
    if (key) this.#byKeyId.set(key.keyId, entry);
  }

  delete(digest: Digest): void {
    const entry = this.#entries.get(digest);
    if (!entry) return;
    this.#entries.delete(digest);
    this.#forgetKeyId(entry);
  }

  deleteKey(keyId: string): void {
    const entry = this.#byKeyId.get(keyId);
    if (entry) this.delete(entry.digest);
  }

  clear(): void {
    this.#entries.clear();
    this.#byKeyId.clear();
  }

  /**
   * Spares an entry that was used since the last round, once, by moving it to the end of the map.
   */
  #evict(): void {
    for (const [digest, entry] of this.#entries) {
      this.#entries.delete(digest);
      if (!entry.wasUsed) {
        this.#forgetKeyId(entry);
        return;
      }
      entry.wasUsed = false;
      this.#entries.set(digest, entry);
    }
  }

  #forgetKeyId({ key }: CacheEntry): void {
    if (key) this.#byKeyId.delete(key.keyId);
  }
}

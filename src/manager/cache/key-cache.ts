import type { Digest } from '../../keys/digest.js';
import type { CachedKey } from './cached-key.js';
import type { ClockReading } from './clock-reading.js';
import type { WatchEpoch } from './store-watch.js';

/** What the store said of a digest, and how far it can be trusted. */
export interface CacheEntry {
  readonly digest: Digest;
  /** `undefined`: no key has this digest. */
  readonly key: CachedKey | undefined;
  /** When its query was sent: what happened later may be missing from it. */
  readonly askedAt: ClockReading;
  /** The epoch of watching that lasted when its query was sent, if one did. */
  readonly epoch: WatchEpoch | undefined;
  /** Since room was last needed. */
  wasUsed: boolean;
}

/**
 * Entries by digest, at most `max` of them. When it is full, one goes that was not asked for since the last round: second-chance
 * eviction, where a hit sets one mark, while least-recently-used order would have it update a list.
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
    // Written only where it changes: what is only read stays in the caches of the processor.
    if (entry && !entry.wasUsed) entry.wasUsed = true;
    return entry;
  }

  /** Takes the place of what was known of this digest, and of what was known of this key under another one. */
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

  /** Spares an entry that was used since the last round, this once: it goes to the end of the map. */
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

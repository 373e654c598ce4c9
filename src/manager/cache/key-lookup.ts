import { tagged, type Digest } from '../../keys/digest.js';
import { within } from '../../lib/within.js';
import type { StoredKey } from '../../stores/key-record.js';
import type { KeyStore } from '../../stores/key-store.js';
import { RecentChanges, everything } from './recent-changes.js';
import { toCachedKey, type CachedKey } from './cached-key.js';
import { KeyCache, type CacheEntry } from './key-cache.js';
import { ageOf, readClock } from './clock-reading.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { StoreWatch } from './store-watch.js';

export interface KeyLookupOptions {
  readonly store: KeyStore;
  /** The name of the source in identities. */
  readonly source: string;
  readonly now: () => number;
  readonly cacheTtlMs: number;
  readonly staleIfErrorMs: number;
  readonly maxCachedKeys: number;
}

/** A look-up under way. */
interface Load {
  /** The position in the recent changes when it began. */
  readonly begunAt: number;
  isSent: boolean;
}

/**
 * The limit for stores without their own, in milliseconds. A query that hangs would block every
 * later look-up of its key.
 */
const storeLimitMs = 10_000;

/**
 * How long an unknown key is trusted to be unknown while changes are not announced, in
 * milliseconds.
 */
const maxUnknownMs = 1_000;

/**
 * Finds keys by digest: from the cache while the entry is fresh, else with one query, shared by
 * all requests that wait for it.
 *
 * An entry is fresh while the store is seen alive, if the watch has had no break since the entry
 * was loaded. Every change was announced then. Otherwise it is fresh for `cacheTtlMs` after it was
 * last confirmed. During a doubt, entries from before the doubt are not fresh. If the store fails,
 * a known key stays valid until `staleIfErrorMs` after it was last confirmed.
 */
export class KeyLookup {
  readonly #options: KeyLookupOptions;
  /** How long an entry is fresh without a watch. */
  readonly #freshMs: number;
  /**
   * The same for unknown keys. A new key that was presented too early must not be refused for
   * longer.
   */
  readonly #freshUnknownMs: number;
  // Separate caches, so that a flood of made-up keys cannot evict real ones.
  readonly #known: KeyCache;
  readonly #unknown: KeyCache;
  readonly #loads = new Map<
    Digest,
    { readonly load: Load; readonly result: Promise<CacheEntry> }
  >();
  readonly #changes = new RecentChanges();
  readonly #breaker = new CircuitBreaker();
  readonly #watch: StoreWatch;

  constructor(options: KeyLookupOptions) {
    const { store, now, cacheTtlMs, staleIfErrorMs, maxCachedKeys } = options;
    this.#options = options;
    // Only a query shows whether the store is still there.
    this.#freshMs = Math.min(cacheTtlMs, staleIfErrorMs);
    this.#freshUnknownMs = Math.min(this.#freshMs, maxUnknownMs);
    this.#known = new KeyCache(maxCachedKeys);
    this.#unknown = new KeyCache(maxCachedKeys);
    this.#watch = new StoreWatch(store, now, this.#freshMs, {
      connected: () => this.#retireLoads(),
      doubted: () => this.#retireLoads(),
      alive: () => this.#breaker.recover(),
      changed: (keyId) => this.forget(keyId),
    });
  }

  /** The entry that is fresh at `now`, if any. Does not ask the store. */
  peek(digest: Digest, now: number): { key: CachedKey | undefined } | undefined {
    this.#watch.ask(now);
    const entry = this.#known.get(digest) ?? this.#unknown.get(digest);
    // A process that was frozen may read a request before an earlier revocation.
    if (!entry || this.#watch.isDoubted(entry.askedAt)) return undefined;
    const { epoch } = this.#watch;
    if (epoch) {
      if (entry.epoch !== epoch) return undefined;
      // By the wall clock alone: it also runs while the machine is suspended, and the request has
      // read it anyway.
      const silentMs = now - epoch.lastAliveAt.wall;
      if (silentMs >= 0 && silentMs < this.#watch.aliveForMs) return entry;
    }
    const freshMs = entry.key ? this.#freshMs : this.#freshUnknownMs;
    return this.#age(entry) < freshMs ? entry : undefined;
  }

  /** Asks the store. Rejects if it fails and no recent entry exists. */
  async find(digest: Digest): Promise<CachedKey | undefined> {
    const settled = this.#watch.settle();
    if (settled) {
      await settled;
      const found = this.peek(digest, this.#options.now());
      if (found) return found.key;
    }
    const known = this.#known.get(digest);
    // Nobody waits for a store that has just failed. The next attempt is made in the background.
    if (known && !this.#breaker.isUp && this.#isGoodWhileDown(known)) {
      if (this.#breaker.mayTry()) this.#load(digest).catch(() => {});
      return known.key;
    }
    if (!this.#loads.has(digest) && !this.#breaker.mayTry()) throw this.#breaker.createError();
    try {
      return (await this.#load(digest)).key;
    } catch (error) {
      // If the key was changed during the query, its old entry is gone, and there is nothing to
      // fall back on.
      const left = this.#known.get(digest);
      if (left && !this.#breaker.isUp && this.#isGoodWhileDown(left)) return left.key;
      throw error;
    }
  }

  /** Removes a key, or all keys with `''`. Answers to queries under way are not cached either. */
  forget(keyId: string): void {
    this.#changes.add(keyId);
    this.#retireLoads();
    this.#unknown.clear();
    if (keyId === everything) this.#known.clear();
    else this.#known.deleteKey(keyId);
  }

  async close(): Promise<void> {
    await this.#watch.close();
  }

  #isGoodWhileDown(entry: CacheEntry): boolean {
    return this.#age(entry) < this.#options.staleIfErrorMs;
  }

  /** How long ago the entry was last confirmed. */
  #age({ askedAt, epoch }: CacheEntry): number {
    const aliveAt = epoch?.lastAliveAt;
    const isConfirmed = aliveAt !== undefined && aliveAt.elapsed > askedAt.elapsed;
    return ageOf(isConfirmed ? aliveAt : askedAt, this.#options.now);
  }

  #load(digest: Digest): Promise<CacheEntry> {
    const underWay = this.#loads.get(digest);
    if (underWay) return underWay.result;
    const load: Load = { begunAt: this.#changes.position, isSent: false };
    const result = this.#fetch(digest, load);
    this.#loads.set(digest, { load, result });
    return result;
  }

  async #fetch(digest: Digest, load: Load): Promise<CacheEntry> {
    const { store, now, source } = this.#options;
    await this.#watch.start();
    load.isSent = true;
    // Both are taken before the query, because its answer may miss what happens while it runs.
    const askedAt = readClock(now);
    const { epoch } = this.#watch;
    const text = tagged(digest);
    let stored: StoredKey | undefined;
    try {
      stored = await within(storeLimitMs, store.findByDigest(text));
      this.#breaker.recover();
    } catch (error) {
      this.#breaker.fail(error, askedAt.elapsed);
      throw new Error('the key store failed', { cause: error });
    } finally {
      if (this.#loads.get(digest)?.load === load) this.#loads.delete(digest);
    }
    const key = stored && toCachedKey(stored, text, source);
    const entry = { digest, key, askedAt, epoch, wasUsed: false };
    this.#keep(entry, load);
    return entry;
  }

  #keep(entry: CacheEntry, { begunAt }: Load): void {
    const { digest, key, askedAt } = entry;
    // Queries can overtake each other. The one sent later knows more.
    const kept = this.#known.get(digest) ?? this.#unknown.get(digest);
    if (kept && kept.askedAt.elapsed > askedAt.elapsed) return;
    if (!key) {
      this.#known.delete(digest);
      // Any change may have created this key.
      if (this.#changes.position === begunAt) this.#unknown.set(entry);
    } else if (!this.#changes.hasChangedSince(begunAt, key.keyId)) {
      this.#unknown.delete(digest);
      this.#known.set(entry);
    }
  }

  /**
   * Keeps later requests from joining a query that was sent before now, because its answer may be
   * old.
   */
  #retireLoads(): void {
    for (const [digest, { load }] of this.#loads) {
      if (load.isSent) this.#loads.delete(digest);
    }
  }
}

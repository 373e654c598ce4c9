import { LRUCache } from 'lru-cache';
import { within } from '../lib/within.js';
import type { KeyStore, KeyStoreWatcher, StoredKey } from '../stores/key-store.js';
import { checkStoredKey, type CheckedKey } from './checked-key.js';
import { ageOf, later, momentOf, type Moment } from './moment.js';
import { StoreHealth } from './store-health.js';

export interface KeyLookupOptions {
  readonly store: KeyStore;
  /** Names the source in the identities. */
  readonly source: string;
  readonly now: () => number;
  readonly cacheTtlMs: number;
  readonly staleIfErrorMs: number;
  readonly maxCachedKeys: number;
}

/** A finding and how far it can be trusted. */
interface Entry {
  /** `undefined`: no key has this digest. */
  readonly key: CheckedKey | undefined;
  /** When it was last known to be right; while its epoch lasts, the watch knows better. */
  confirmedAt: Moment;
  /** The stretch of uninterrupted watching in which it was loaded; 0 where nothing was watched. */
  readonly epoch: number;
}

/** A look-up under way, and the keys that changed since it began. */
interface Load {
  readonly changed: Set<string>;
  entry: Promise<Entry>;
  isSent: boolean;
}

/** How long the first look-up waits for the watch, in milliseconds, so that what it finds can be kept from then on. */
const firstWatchMs = 500;

/** How long a store may take that sets no limit of its own, in milliseconds: what hangs for good would never be asked anew. */
const storeLimitMs = 10_000;

const everything = '';

/**
 * Finds keys by digest, given as 64 hexadecimal digits: out of memory while that is known to be right, else with one query for any number of requests.
 *
 * A finding is fresh while the store is watched without a break since it was loaded, for then every change has been announced;
 * and otherwise for `cacheTtlMs` after it was last known to be right. When the store fails, a known key is still good
 * until `staleIfErrorMs` after that instant.
 */
export class KeyLookup {
  readonly #options: KeyLookupOptions;
  // Apart, so that a flood of made-up keys cannot push out real ones.
  readonly #known: LRUCache<string, Entry>;
  readonly #unknown: LRUCache<string, Entry>;
  readonly #digests = new Map<string, string>();
  readonly #loads = new Map<string, Load>();
  readonly #staleLoads = new Set<Load>();
  readonly #health = new StoreHealth();
  #epoch = 0;
  #isWatching = false;
  #lastAliveAt: Moment | undefined;
  #watch: { close(): Promise<void> } | undefined;
  #watchStarted: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: KeyLookupOptions) {
    this.#options = options;
    this.#known = new LRUCache({
      max: options.maxCachedKeys,
      dispose: ({ key }, hex) => {
        // The id may by now belong to another digest, after a change by hand.
        if (this.#digests.get(key!.keyId) === hex) this.#digests.delete(key!.keyId);
      },
    });
    this.#unknown = new LRUCache({ max: options.maxCachedKeys });
  }

  /** The finding that is known to be right without asking the store, if there is one. */
  peek(hex: string): { key: CheckedKey | undefined } | undefined {
    const entry = this.#known.get(hex) ?? this.#unknown.get(hex);
    return entry && this.#isFresh(entry) ? entry : undefined;
  }

  /** Asks the store. Rejects where it fails and nothing recent enough is known. */
  async find(hex: string): Promise<CheckedKey | undefined> {
    const known = this.#known.get(hex);
    // Nobody waits for a store that has just failed; the next attempt is made beside the answer.
    if (known && !this.#health.isUp && this.#isBearable(known)) {
      if (this.#health.mayTry()) this.#load(hex).catch(() => {});
      return known.key;
    }
    if (!this.#loads.has(hex) && !this.#health.mayTry()) throw this.#health.error;
    try {
      return (await this.#load(hex)).key;
    } catch (error) {
      // What was known before the query is gone if the key was changed meanwhile: then there is nothing to fall back on.
      const left = this.#known.get(hex);
      if (left && !this.#health.isUp && this.#isBearable(left)) return left.key;
      throw error;
    }
  }

  /** Drops what is known of a key, or with `''` of all keys; queries under way will not be kept either. */
  forget(keyId: string): void {
    for (const load of [...this.#loads.values(), ...this.#staleLoads]) load.changed.add(keyId);
    this.#retireLoads();
    this.#unknown.clear();
    if (keyId === everything) {
      this.#known.clear();
      return;
    }
    const hex = this.#digests.get(keyId);
    if (hex !== undefined) this.#known.delete(hex);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watcher.disconnected();
    // Nobody could do anything about a connection that cannot be closed.
    await this.#watch?.close().catch(() => {});
  }

  #isFresh(entry: Entry): boolean {
    if (this.#isWatching) return entry.epoch === this.#epoch;
    return this.#age(entry) < this.#options.cacheTtlMs;
  }

  #isBearable(entry: Entry): boolean {
    return this.#age(entry) < this.#options.staleIfErrorMs;
  }

  #age({ confirmedAt }: Entry): number {
    return ageOf(confirmedAt, this.#options.now);
  }

  #load(hex: string): Promise<Entry> {
    const running = this.#loads.get(hex);
    if (running) return running.entry;
    const load: Load = { changed: new Set(), isSent: false, entry: undefined! };
    load.entry = this.#fetch(hex, load);
    this.#loads.set(hex, load);
    const end = () => {
      if (this.#loads.get(hex) === load) this.#loads.delete(hex);
      this.#staleLoads.delete(load);
    };
    load.entry.then(end, end);
    return load.entry;
  }

  async #fetch(hex: string, load: Load): Promise<Entry> {
    const { store, now, source } = this.#options;
    // A store that cannot be watched is asked all the same, only more often.
    await (this.#watchStarted ??= this.#startWatch().catch(() => {}));
    load.isSent = true;
    // Both are taken before the query: what happens while it runs may be missing from its answer.
    const confirmedAt = momentOf(now);
    const epoch = this.#isWatching ? this.#epoch : 0;
    let stored: StoredKey | undefined;
    try {
      stored = await this.#health.watch(within(storeLimitMs, store.findByDigest(`sha256:${hex}`)));
    } catch (error) {
      throw new Error('the key store failed', { cause: error });
    }
    const key = stored && checkStoredKey(stored, `sha256:${hex}`, source);
    const entry = { key, confirmedAt, epoch };
    this.#keep(hex, entry, load.changed);
    return entry;
  }

  #keep(hex: string, entry: Entry, changed: ReadonlySet<string>): void {
    // Queries can overtake each other; the one that was sent later knows more.
    const kept = this.#known.peek(hex) ?? this.#unknown.peek(hex);
    if (kept && kept.confirmedAt.elapsed > entry.confirmedAt.elapsed) return;
    if (!entry.key) {
      this.#known.delete(hex);
      if (changed.size === 0) this.#unknown.set(hex, entry);
      return;
    }
    const { keyId } = entry.key;
    if (changed.has(keyId) || changed.has(everything)) return;
    const before = this.#digests.get(keyId);
    if (before !== undefined && before !== hex) this.#known.delete(before);
    this.#unknown.delete(hex);
    this.#known.set(hex, entry);
    this.#digests.set(keyId, hex);
  }

  /** Lets no later request join a query that was sent before now: its answer may be old. */
  #retireLoads(): void {
    for (const [hex, load] of this.#loads) {
      if (!load.isSent) continue;
      this.#staleLoads.add(load);
      this.#loads.delete(hex);
    }
  }

  /** Resolves once changes are announced, or when that takes too long to wait for. */
  #startWatch(): Promise<void> {
    const { store } = this.#options;
    return new Promise((resolve) => {
      if (!store.watch || this.#isClosed) return resolve();
      const timer = setTimeout(resolve, firstWatchMs);
      this.#onConnected = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#watch = store.watch(this.#watcher);
    });
  }

  #onConnected = () => {};

  readonly #watcher: KeyStoreWatcher = {
    connected: () => {
      if (this.#isClosed) return;
      this.#retireLoads();
      this.#epoch++;
      this.#isWatching = true;
      this.#watcher.alive();
      this.#onConnected();
    },
    alive: () => {
      this.#lastAliveAt = momentOf(this.#options.now);
      this.#health.recover();
    },
    changed: (keyId) => this.forget(keyId),
    disconnected: () => {
      if (!this.#isWatching) return;
      this.#isWatching = false;
      for (const entry of [...this.#known.values(), ...this.#unknown.values()]) {
        if (entry.epoch === this.#epoch) entry.confirmedAt = later(entry.confirmedAt, this.#lastAliveAt!);
      }
    },
  };
}

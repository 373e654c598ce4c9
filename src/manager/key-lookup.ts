import { tagged, type Digest } from '../lib/digest.js';
import { within } from '../lib/within.js';
import type { KeyStore, KeyStoreWatcher, StoredKey } from '../stores/key-store.js';
import { checkStoredKey, type CheckedKey } from './checked-key.js';
import { FindingCache, type Finding } from './finding-cache.js';
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

/** A look-up under way, and the keys that changed since it began. */
interface Load {
  readonly changed: Set<string>;
  finding: Promise<Finding>;
  isSent: boolean;
}

/** How long the first look-up waits for the watch, in milliseconds, so that what it finds can be kept from then on. */
const firstWatchMs = 500;

/** How long a store may take that sets no limit of its own, in milliseconds: what hangs for good would never be asked anew. */
const storeLimitMs = 10_000;

/** In place of a key id: all keys. */
export const everything = '';

/**
 * Finds keys by digest: out of memory while that is known to be right, else with one query for any number of requests.
 *
 * A finding is fresh while the store is watched without a break since it was loaded, for then every change has been announced;
 * and otherwise for `cacheTtlMs` after it was last known to be right. When the store fails, a known key is still good
 * until `staleIfErrorMs` after that instant.
 */
export class KeyLookup {
  readonly #options: KeyLookupOptions;
  // Apart, so that a flood of made-up keys cannot push out real ones.
  readonly #known: FindingCache;
  readonly #unknown: FindingCache;
  readonly #loads = new Map<Digest, Load>();
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
    this.#known = new FindingCache(options.maxCachedKeys);
    this.#unknown = new FindingCache(options.maxCachedKeys);
  }

  /** The finding that is known to be right without asking the store, if there is one. */
  peek(digest: Digest): { key: CheckedKey | undefined } | undefined {
    const finding = this.#known.get(digest) ?? this.#unknown.get(digest);
    return finding && this.#isFresh(finding) ? finding : undefined;
  }

  /** Asks the store. Rejects where it fails and nothing recent enough is known. */
  async find(digest: Digest): Promise<CheckedKey | undefined> {
    const known = this.#known.get(digest);
    // Nobody waits for a store that has just failed; the next attempt is made beside the answer.
    if (known && !this.#health.isUp && this.#isBearable(known)) {
      if (this.#health.mayTry()) this.#load(digest).catch(() => {});
      return known.key;
    }
    if (!this.#loads.has(digest) && !this.#health.mayTry()) throw this.#health.error;
    try {
      return (await this.#load(digest)).key;
    } catch (error) {
      // What was known before the query is gone if the key was changed meanwhile: then there is nothing to fall back on.
      const left = this.#known.get(digest);
      if (left && !this.#health.isUp && this.#isBearable(left)) return left.key;
      throw error;
    }
  }

  /** Drops what is known of a key, or with `''` of all keys; queries under way will not be kept either. */
  forget(keyId: string): void {
    for (const load of [...this.#loads.values(), ...this.#staleLoads]) load.changed.add(keyId);
    this.#retireLoads();
    this.#unknown.clear();
    if (keyId === everything) this.#known.clear();
    else this.#known.deleteKey(keyId);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watcher.disconnected();
    // Nobody could do anything about a connection that cannot be closed.
    await this.#watch?.close().catch(() => {});
  }

  #isFresh(finding: Finding): boolean {
    if (this.#isWatching) return finding.epoch === this.#epoch;
    const { cacheTtlMs, staleIfErrorMs } = this.#options;
    // Whoever lost the watch may have lost the store, which shows only when it is asked.
    const mayBeLost = this.#watch !== undefined || !this.#health.isUp;
    return this.#age(finding) < (mayBeLost ? Math.min(cacheTtlMs, staleIfErrorMs) : cacheTtlMs);
  }

  #isBearable(finding: Finding): boolean {
    return this.#age(finding) < this.#options.staleIfErrorMs;
  }

  #age({ confirmedAt }: Finding): number {
    return ageOf(confirmedAt, this.#options.now);
  }

  #load(digest: Digest): Promise<Finding> {
    const running = this.#loads.get(digest);
    if (running) return running.finding;
    const load: Load = { changed: new Set(), isSent: false, finding: undefined! };
    load.finding = this.#fetch(digest, load);
    this.#loads.set(digest, load);
    const end = () => {
      if (this.#loads.get(digest) === load) this.#loads.delete(digest);
      this.#staleLoads.delete(load);
    };
    load.finding.then(end, end);
    return load.finding;
  }

  async #fetch(digest: Digest, load: Load): Promise<Finding> {
    const { store, now, source } = this.#options;
    // A store that cannot be watched is asked all the same, only more often.
    await (this.#watchStarted ??= this.#startWatch().catch(() => {}));
    load.isSent = true;
    // Both are taken before the query: what happens while it runs may be missing from its answer.
    const confirmedAt = momentOf(now);
    const epoch = this.#isWatching ? this.#epoch : 0;
    let stored: StoredKey | undefined;
    try {
      stored = await this.#health.watch(within(storeLimitMs, store.findByDigest(tagged(digest))));
    } catch (error) {
      throw new Error('the key store failed', { cause: error });
    }
    const key = stored && checkStoredKey(stored, tagged(digest), source);
    const finding = { digest, key, confirmedAt, epoch, wasUsed: false };
    this.#keep(finding, load.changed);
    return finding;
  }

  #keep(finding: Finding, changed: ReadonlySet<string>): void {
    const { digest, key, confirmedAt } = finding;
    // Queries can overtake each other; the one that was sent later knows more.
    const kept = this.#known.get(digest) ?? this.#unknown.get(digest);
    if (kept && kept.confirmedAt.elapsed > confirmedAt.elapsed) return;
    if (!key) {
      this.#known.delete(digest);
      if (changed.size === 0) this.#unknown.set(finding);
    } else if (!changed.has(key.keyId) && !changed.has(everything)) {
      this.#unknown.delete(digest);
      this.#known.set(finding);
    }
  }

  /** Lets no later request join a query that was sent before now: its answer may be old. */
  #retireLoads(): void {
    for (const [digest, load] of this.#loads) {
      if (!load.isSent) continue;
      this.#staleLoads.add(load);
      this.#loads.delete(digest);
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
      for (const finding of [...this.#known.values(), ...this.#unknown.values()]) {
        if (finding.epoch !== this.#epoch) continue;
        finding.confirmedAt = later(finding.confirmedAt, this.#lastAliveAt!);
      }
    },
  };
}

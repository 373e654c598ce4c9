import type { KeyStore, KeyStoreWatcher, StoredKey } from '../../src/index.js';
import { MemoryKeyStore } from '../../src/index.js';

/**
 * A real store whose look-ups are counted, and can be made to fail or wait in ways that a healthy
 * one cannot.
 */
export class CountingStore implements KeyStore {
  readonly inner: KeyStore;
  lookups = 0;
  touches: string[][] = [];
  /** What every call does before it is passed on. */
  before: () => Promise<void> | void = () => {};
  /** What a look-up answers in place of what was found. */
  alter: (key: StoredKey | undefined) => StoredKey | undefined = (key) => key;
  watcher: KeyStoreWatcher | undefined;
  /** Whether announcements get lost. */
  isDeaf = false;

  constructor(inner: KeyStore = new MemoryKeyStore()) {
    this.inner = inner;
  }

  async findByDigest(digest: string) {
    this.lookups++;
    await this.before();
    return this.alter(await this.inner.findByDigest(digest));
  }

  async touch(uses: Parameters<KeyStore['touch']>[0]) {
    this.touches.push(uses.map(({ keyId }) => keyId));
    await this.before();
    await this.inner.touch(uses);
  }

  get: KeyStore['get'] = (...args) => this.inner.get(...args);
  list: KeyStore['list'] = (...args) => this.inner.list(...args);
  insert: KeyStore['insert'] = (...args) => this.inner.insert(...args);
  update: KeyStore['update'] = (...args) => this.inner.update(...args);
  rotate: KeyStore['rotate'] = (...args) => this.inner.rotate(...args);
  revoke: KeyStore['revoke'] = (...args) => this.inner.revoke(...args);
  prune: KeyStore['prune'] = (...args) => this.inner.prune(...args);

  watch(watcher: KeyStoreWatcher) {
    this.watcher = watcher;
    return this.inner.watch!({
      ...watcher,
      changed: (keyId) => this.isDeaf || watcher.changed(keyId),
    });
  }
}

/** The same store without a way to learn of changes. */
export function unwatched(store: CountingStore): CountingStore {
  return Object.assign(store, { watch: undefined });
}

/** A clock that stands still until it is moved. */
export class Clock {
  ms = Date.UTC(2030, 0, 1);
  readonly now = () => this.ms;
  readonly at = (ms: number) => new Date(this.ms + ms);
  move(ms: number): void {
    this.ms += ms;
  }
}

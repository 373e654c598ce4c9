import type { KeyStore, KeyStoreWatcher } from '../../stores/key-store.js';
import { readClock, type ClockReading } from './clock-reading.js';

/** A time of watching without a break: whatever changed in it was announced. */
export interface WatchEpoch {
  /** When the store was last seen there. */
  lastAliveAt: ClockReading;
}

/** What a watch tells of besides its epochs. */
export type StoreWatchListener = Pick<KeyStoreWatcher, 'connected' | 'alive' | 'changed'>;

/** How long the first look-up waits for the watch, in milliseconds, so that what it finds can be kept from then on. */
const firstWatchMs = 500;

/** Watches a store from the first look-up until it is closed. */
export class StoreWatch {
  readonly #store: KeyStore;
  readonly #now: () => number;
  readonly #listener: StoreWatchListener;
  #epoch: WatchEpoch | undefined;
  #started: Promise<void> | undefined;
  #opened: ReturnType<NonNullable<KeyStore['watch']>> | undefined;
  #isClosed = false;

  constructor(store: KeyStore, now: () => number, listener: StoreWatchListener) {
    this.#store = store;
    this.#now = now;
    this.#listener = listener;
  }

  /** The epoch that is not broken yet; none while changes may be missed. */
  get epoch(): WatchEpoch | undefined {
    return this.#epoch;
  }

  /** For how long after `lastAliveAt` the store is taken to be there, in milliseconds; 0 where it never says that it is. */
  get aliveForMs(): number {
    return this.#opened?.aliveForMs ?? 0;
  }

  /**
   * Resolves once changes are announced, or when that takes too long to wait for. Never rejects: a store that cannot be watched is
   * asked all the same, only more often.
   */
  start(): Promise<void> {
    this.#started ??= this.#open().catch(() => {});
    return this.#started;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#epoch = undefined;
    // Nobody could do anything about a connection that cannot be closed.
    await this.#opened?.close().catch(() => {});
  }

  #open(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#store.watch || this.#isClosed) return resolve();
      const timer = setTimeout(resolve, firstWatchMs);
      this.#opened = this.#store.watch({
        connected: () => {
          this.#begin();
          clearTimeout(timer);
          resolve();
        },
        alive: () => this.#heartbeat(),
        changed: (keyId) => this.#listener.changed(keyId),
        disconnected: () => {
          this.#epoch = undefined;
        },
      });
    });
  }

  #begin(): void {
    if (this.#isClosed) return;
    this.#epoch = { lastAliveAt: readClock(this.#now) };
    this.#listener.connected();
  }

  #heartbeat(): void {
    if (this.#epoch) this.#epoch.lastAliveAt = readClock(this.#now);
    this.#listener.alive();
  }
}

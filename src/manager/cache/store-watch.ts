import { within } from '../../lib/within.js';
import type { KeyStore, KeyStoreWatcher } from '../../stores/key-store.js';
import { ageOf, readClock, type ClockReading } from './clock-reading.js';

/** A time of watching without a break: whatever changed in it was announced. */
export interface WatchEpoch {
  /** When the store was last seen there. */
  lastAliveAt: ClockReading;
}

/** What a watch tells of besides its epochs. */
export interface StoreWatchListener extends Pick<
  KeyStoreWatcher,
  'connected' | 'alive' | 'changed'
> {
  /** Changes may have been announced that this process has not read yet. */
  doubted(): void;
}

/**
 * How long a request waits for the watch, in milliseconds: the first one, so that what it finds can
 * be kept from then on, and those during a doubt.
 */
const waitMs = 500;

/** How often the clock is read while nothing else reads it, in milliseconds. */
const tickMs = 500;

/**
 * Two readings further apart than this, in milliseconds: the process was frozen or busy, and may
 * read a request before the announcement that came first.
 */
const maxGapMs = 1_000;

/** Watches a store from the first look-up until it is closed. */
export class StoreWatch {
  readonly #store: KeyStore;
  readonly #now: () => number;
  /** How long the cache is trusted without a heartbeat, in milliseconds. */
  readonly #trustMs: number;
  readonly #listener: StoreWatchListener;
  #epoch: WatchEpoch | undefined;
  #started: Promise<void> | undefined;
  #opened: ReturnType<NonNullable<KeyStore['watch']>> | undefined;
  #isClosed = false;
  #askedAt: number;
  /** When the wall clock was last read; `NaN` if the store cannot be checked. */
  #readAt = Number.NaN;
  #tick: NodeJS.Timeout | undefined;
  /** When the doubt that still lasts began, on the clock that only runs forward. */
  #doubt: { readonly at: number } | undefined;
  #checked: Promise<void> | undefined;
  #isResting = false;

  constructor(store: KeyStore, now: () => number, trustMs: number, listener: StoreWatchListener) {
    this.#store = store;
    this.#now = now;
    this.#trustMs = trustMs;
    this.#listener = listener;
    this.#askedAt = now();
  }

  /** The epoch that is not broken yet; none while changes may be missed. */
  get epoch(): WatchEpoch | undefined {
    return this.#epoch;
  }

  /** For how long after `lastAliveAt` the store is taken to be there, in milliseconds; 0 where it never says that it is. */
  get aliveForMs(): number {
    return this.#opened?.aliveForMs ?? 0;
  }

  /** Notes that a key is asked for at `now`. */
  ask(now: number): void {
    this.#askedAt = now;
    this.#read(now);
    if (this.#isResting) this.#resume();
  }

  /** Whether what was asked of the store then is in doubt now. */
  isDoubted(askedAt: ClockReading): boolean {
    return this.#doubt !== undefined && askedAt.elapsed < this.#doubt.at;
  }

  /**
   * Resolves once the doubt is over, or when that takes too long to wait for. Never rejects.
   * `undefined` if there is no doubt.
   */
  settle(): Promise<void> | undefined {
    return this.#doubt && this.#check();
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
    this.#stopTicking();
    // Nobody could do anything about a connection that cannot be closed.
    await this.#opened?.close().catch(() => {});
  }

  #open(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#store.watch || this.#isClosed) return resolve();
      const timer = setTimeout(resolve, waitMs);
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
        idleMs: () => Math.max(0, this.#now() - this.#askedAt),
        resting: () => {
          this.#isResting = true;
        },
      });
      if (this.#opened.check) this.#startTicking();
    });
  }

  #begin(): void {
    if (this.#isClosed) return;
    this.#epoch = { lastAliveAt: readClock(this.#now) };
    // What was found in an earlier epoch is not trusted anyway.
    this.#doubt = undefined;
    this.#listener.connected();
  }

  #heartbeat(): void {
    // A heartbeat that began before a gap says nothing of what happened in it.
    this.#read(this.#now());
    if (this.#epoch) this.#epoch.lastAliveAt = readClock(this.#now);
    this.#listener.alive();
  }

  #startTicking(): void {
    if (this.#isClosed || this.#tick) return;
    this.#readAt = this.#now();
    this.#tick = setInterval(() => {
      const now = this.#now();
      this.#read(now);
      // From here on only a check can say that nothing was missed, so the time need not be kept.
      if (this.#isResting && !this.#isTrusted()) {
        this.#doubtAll(now);
        this.#stopTicking();
      }
    }, tickMs).unref();
  }

  #stopTicking(): void {
    clearInterval(this.#tick);
    this.#tick = undefined;
    this.#readAt = Number.NaN;
  }

  #isTrusted(): boolean {
    return !this.#epoch || ageOf(this.#epoch.lastAliveAt, this.#now) < this.#trustMs;
  }

  #read(now: number): void {
    const gapMs = now - this.#readAt;
    if (gapMs > maxGapMs || gapMs < 0) this.#doubtAll(now);
    else if (gapMs >= 0) this.#readAt = now;
  }

  #doubtAll(now: number): void {
    this.#readAt = now;
    this.#doubt = { at: performance.now() };
    this.#checked = undefined;
    this.#listener.doubted();
  }

  #resume(): void {
    this.#isResting = false;
    this.#checked = undefined;
    this.#startTicking();
    void this.#check();
  }

  /** One for all who wait; after its time is over nobody waits for it again. */
  #check(): Promise<void> {
    this.#checked ??= within(waitMs, this.#hear()).catch(() => {});
    return this.#checked;
  }

  async #hear(): Promise<void> {
    const doubt = this.#doubt;
    await this.#opened?.check?.();
    // A gap while it was heard is another doubt.
    this.#read(this.#now());
    if (this.#doubt === doubt) this.#doubt = undefined;
  }
}

import { within } from '../../lib/within.js';
import type { KeyStore, KeyStoreWatcher } from '../../stores/key-store.js';
import { ageOf, readClock, type ClockReading } from './clock-reading.js';

/** A watch epoch: a time of watching without a break, in which every change was announced. */
export interface WatchEpoch {
  /** When the store was last seen. */
  lastAliveAt: ClockReading;
}

/** What a watch reports besides its epochs. */
export interface StoreWatchListener extends Pick<
  KeyStoreWatcher,
  'connected' | 'alive' | 'changed'
> {
  /** Changes may have been announced that this process has not read yet. */
  doubted(): void;
}

/**
 * How long a request waits for the watch, in milliseconds. The first request waits so that its
 * answer can be cached, and requests wait during a doubt.
 */
const waitMs = 500;

/** How often the clock is read if nothing else reads it, in milliseconds. */
const tickMs = 500;

/**
 * If two readings are further apart than this, in milliseconds, the process was frozen or busy.
 * It may then read a request before an earlier announcement.
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
  /** When the wall clock was last read. `NaN` if the store cannot be checked. */
  #readAt = Number.NaN;
  #tick: NodeJS.Timeout | undefined;
  /** When the current doubt began, on the monotonic clock. */
  #doubt: { readonly at: number } | undefined;
  #checked: Promise<void> | undefined;
  #isResting = false;
  /** Whether changes are not announced during the rest. */
  #isSilent = false;

  constructor(store: KeyStore, now: () => number, trustMs: number, listener: StoreWatchListener) {
    this.#store = store;
    this.#now = now;
    this.#trustMs = trustMs;
    this.#listener = listener;
    this.#askedAt = now();
  }

  /** The current epoch. `undefined` while changes may be missed. */
  get epoch(): WatchEpoch | undefined {
    return this.#epoch;
  }

  /**
   * How long the store is considered present after `lastAliveAt`, in milliseconds. 0 if it never
   * reports that it is alive.
   */
  get aliveForMs(): number {
    return this.#opened?.aliveForMs ?? 0;
  }

  /** Records that a key is asked for at `now`. */
  ask(now: number): void {
    this.#askedAt = now;
    this.#read(now);
    if (this.#isResting) this.#resume(now);
  }

  /** Whether an answer that was asked for then is in doubt now. */
  isDoubted(askedAt: ClockReading): boolean {
    return this.#doubt !== undefined && askedAt.elapsed < this.#doubt.at;
  }

  /**
   * Resolves once the doubt is over, or after a limited wait. Never rejects. `undefined` if there
   * is no doubt.
   */
  settle(): Promise<void> | undefined {
    return this.#doubt && this.#check();
  }

  /**
   * Resolves once changes are announced, or after a limited wait. Never rejects: a store that
   * cannot be watched is still asked, only more often.
   */
  start(): Promise<void> {
    this.#started ??= this.#open().catch(() => {});
    return this.#started;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#epoch = undefined;
    this.#stopTicking();
    // Nothing can be done about a connection that cannot be closed.
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
        resting: (isSilent = false) => {
          this.#isResting = true;
          this.#isSilent = isSilent;
          // The next request doubts everything, however short the rest was.
          if (isSilent) this.#stopTicking();
        },
      });
      if (this.#opened.check) this.#startTicking();
    });
  }

  #begin(): void {
    if (this.#isClosed) return;
    this.#epoch = { lastAliveAt: readClock(this.#now) };
    // Entries of an earlier epoch are not trusted anyway.
    this.#doubt = undefined;
    this.#listener.connected();
  }

  #heartbeat(): void {
    // A heartbeat that began before a gap says nothing about the gap.
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
      // From here on, only a check can prove that nothing was missed, so the clock need not be
      // read.
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

  #resume(now: number): void {
    this.#isResting = false;
    this.#checked = undefined;
    if (this.#isSilent) this.#doubtAll(now);
    this.#startTicking();
    void this.#check();
  }

  /** One check for all who wait. Once it times out, nobody waits for it again. */
  #check(): Promise<void> {
    this.#checked ??= within(waitMs, this.#hear()).catch(() => {});
    return this.#checked;
  }

  async #hear(): Promise<void> {
    const doubt = this.#doubt;
    await this.#opened?.check?.();
    // A gap during the check is another doubt.
    this.#read(this.#now());
    if (this.#doubt === doubt) this.#doubt = undefined;
  }
}

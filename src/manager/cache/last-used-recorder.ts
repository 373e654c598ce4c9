import { setTimeout as delay } from 'node:timers/promises';
import { within } from '../../lib/within.js';
import type { KeyStore } from '../../stores/key-store.js';
import { warnNotWritten } from './write-warning.js';

/** How many uses one statement writes at most. */
const batchSize = 1_000;
/** If this many are pending, they are written early. */
const maxPending = 10_000;
const closeLimitMs = 5_000;
/** The pauses between attempts to write at the end, in milliseconds. */
const closePausesMs = [20, 50, 100, 200, 400];
const soonMs = 1_000;

/** The last use of a key. It lives in the cached key, so recording a use costs no look-up. */
export interface LastUse {
  readonly keyId: string;
  /** The key whose end depends on the first use of this one. Absent once that was written. */
  readonly ends: string | undefined;
  /** In milliseconds since 1970. */
  usedAt: number;
  /** Whether it must still be written. */
  isPending: boolean;
}

/**
 * Records when keys were used: in batches, in the background, each key at most once an interval.
 */
export class LastUsedRecorder {
  readonly #store: KeyStore;
  readonly #intervalMs: number;
  readonly #onWritten: (uses: readonly LastUse[]) => void;
  readonly #alsoWrite: () => Promise<boolean>;
  #pending: LastUse[] = [];
  /** The keys whose first use must still be written. */
  readonly #firstUses = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<boolean> = Promise.resolve(true);
  /** The write after the current one, if one is requested. */
  #next: Promise<boolean> | undefined;
  /** After a failure nothing is written before the next interval. */
  #hasFailed = false;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  /**
   * @param onWritten receives the uses that were written
   * @param alsoWrite what else is written each time. Resolves to whether it was, and never rejects
   */
  constructor(
    store: KeyStore,
    intervalMs: number,
    onWritten: (uses: readonly LastUse[]) => void,
    alsoWrite: () => Promise<boolean>,
  ) {
    this.#store = store;
    this.#intervalMs = intervalMs;
    this.#onWritten = onWritten;
    this.#alsoWrite = alsoWrite;
  }

  /** Records a use. Never waits and never fails. */
  record(use: LastUse, usedAt: number): void {
    if (use.ends !== undefined) {
      this.#recordFirst(use, usedAt);
      return;
    }
    use.usedAt = usedAt;
    if (use.isPending || this.#isClosed) return;
    const isFull = this.#pending.length >= maxPending;
    // While the store fails, uses that do not fit are dropped. Memory stays bounded, and a later
    // use is recorded.
    if (isFull && this.#hasFailed) return;
    this.#enqueue(use);
    if (isFull) void this.flush();
    else this.schedule();
  }

  /**
   * A first use must not be replaced or dropped before it is written, because the end of the old
   * key depends on it.
   */
  #recordFirst(use: LastUse, usedAt: number): void {
    if (this.#firstUses.has(use.keyId) || this.#isClosed) return;
    this.#firstUses.add(use.keyId);
    use.usedAt = usedAt;
    this.#enqueue(use);
    void this.flush();
  }

  /**
   * Writes the pending uses after the current write. Only one write runs at a time, so a store
   * that hangs finds no queue when it returns. Resolves to whether nothing is left. Never rejects:
   * what could not be written is tried again.
   */
  flush(): Promise<boolean> {
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#flushedAt = performance.now();
      const uses = this.#pending;
      for (const use of uses) use.isPending = false;
      this.#pending = [];
      this.#writing = this.#write(latestOfEach(uses)).then(async () => {
        const isAllWritten = await this.#alsoWrite();
        return isAllWritten && this.#pending.length === 0;
      });
      return this.#writing;
    });
    return this.#next;
  }

  /**
   * Writes the pending uses, for at most five seconds: a store that hangs must not keep a server
   * from ending.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await within(closeLimitMs, this.#flushAll()).catch(() => {});
  }

  /** Tries a few times: a SQLite file may be locked for a moment, and there is no later flush. */
  async #flushAll(): Promise<void> {
    for (const pauseMs of closePausesMs) {
      if (await this.flush()) return;
      await delay(pauseMs);
    }
    await this.flush();
  }

  /**
   * Schedules a write: soon after a quiet time, so that operators see a use while they watch,
   * otherwise an interval after the last write.
   */
  schedule(): void {
    if (this.#isClosed) return;
    const delayMs = Math.max(
      Math.min(soonMs, this.#intervalMs),
      this.#flushedAt + this.#intervalMs - performance.now(),
    );
    this.#timer ??= setTimeout(() => void this.flush(), delayMs).unref();
  }

  #enqueue(use: LastUse): void {
    use.isPending = true;
    this.#pending.push(use);
  }

  async #write(uses: readonly LastUse[]): Promise<void> {
    for (let start = 0; start < uses.length; start += batchSize) {
      const batch = uses.slice(start, start + batchSize);
      try {
        await this.#store.touch(
          batch.map(({ keyId, usedAt }) => ({ keyId, usedAt: new Date(usedAt) })),
        );
        this.#hasFailed = false;
        for (const { keyId } of batch) this.#firstUses.delete(keyId);
        this.#onWritten(batch);
      } catch (error) {
        this.#hasFailed = true;
        this.#keep(batch, error);
      }
    }
  }

  #keep(uses: readonly LastUse[], error: unknown): void {
    warnNotWritten('lastUsedAt', error);
    for (const use of uses) {
      const hasRoom = this.#pending.length < maxPending || use.ends !== undefined;
      if (!use.isPending && hasRoom) this.#enqueue(use);
    }
    this.schedule();
  }
}

/** A key that was looked up again while a use was pending has two entries. */
function latestOfEach(uses: readonly LastUse[]): LastUse[] {
  const latest = new Map<string, LastUse>();
  for (const use of uses) {
    const other = latest.get(use.keyId);
    if (!other || other.usedAt < use.usedAt) latest.set(use.keyId, use);
  }
  return [...latest.values()];
}

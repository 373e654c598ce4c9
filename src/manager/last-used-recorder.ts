import { warnOnce } from '../lib/warn.js';
import { within } from '../lib/within.js';
import type { KeyStore, KeyUse } from '../stores/key-store.js';

/** Uses in one statement, and so many kept waiting that they are written early. */
const batchSize = 1_000;
const maxWaiting = 10_000;
const closeLimitMs = 5_000;
const soonMs = 1_000;

/** Writes down when keys were used: in batches, off the path of requests, each key at most once an interval. */
export class LastUsedRecorder {
  readonly #store: KeyStore;
  readonly #intervalMs: number;
  readonly #onWritten: (keyIds: readonly string[]) => void;
  #waiting = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** After a failure nothing is written early: the next time is the interval's. */
  #hasFailed = false;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  /** @param onWritten told of the keys whose use was written */
  constructor(store: KeyStore, intervalMs: number, onWritten: (keyIds: readonly string[]) => void) {
    this.#store = store;
    this.#intervalMs = intervalMs;
    this.#onWritten = onWritten;
  }

  /** Notes a use. Costs one map entry; never waits and never fails. */
  record(keyId: string, usedAt: number): void {
    if (this.#isClosed) return;
    const isFull = this.#waiting.size >= maxWaiting;
    // While the store fails, what does not fit is forgotten: memory stays bounded, and a later use is noted again.
    if (isFull && this.#hasFailed && !this.#waiting.has(keyId)) return;
    this.#waiting.set(keyId, usedAt);
    if (isFull && !this.#hasFailed) void this.flush();
    else this.#schedule();
  }

  /** Writes what is waiting. Never rejects: what could not be written waits for the next time. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushedAt = performance.now();
    const uses = Array.from(this.#waiting, ([keyId, usedAt]) => ({ keyId, usedAt: new Date(usedAt) }));
    this.#waiting = new Map();
    this.#writing = this.#writing.then(() => this.#write(uses));
    return this.#writing;
  }

  /** Writes what is waiting, for at most five seconds: a store that hangs must not keep a server from ending. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await within(closeLimitMs, this.flush()).catch(() => {});
  }

  /** Soon after a quiet time, so that operators see a use while they look; else an interval after the last write. */
  #schedule(): void {
    const delayMs = Math.max(
      Math.min(soonMs, this.#intervalMs),
      this.#flushedAt + this.#intervalMs - performance.now(),
    );
    this.#timer ??= setTimeout(() => void this.flush(), delayMs).unref();
  }

  async #write(uses: readonly KeyUse[]): Promise<void> {
    for (let start = 0; start < uses.length; start += batchSize) {
      const batch = uses.slice(start, start + batchSize);
      try {
        await this.#store.touch(batch);
        this.#hasFailed = false;
        this.#onWritten(batch.map(({ keyId }) => keyId));
      } catch (error) {
        this.#hasFailed = true;
        this.#keep(batch, error);
      }
    }
  }

  #keep(uses: readonly KeyUse[], error: unknown): void {
    // The code alone: a driver's message may hold what it likes.
    const given = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    const code = typeof given === 'string' ? ` (${given})` : '';
    warnOnce(
      `last-used${code}`,
      `lastUsedAt could not be written${code}; requests are not affected, it is tried again.`,
    );
    for (const { keyId, usedAt } of uses) {
      const later = this.#waiting.get(keyId) ?? 0;
      if (this.#waiting.size < maxWaiting) this.#waiting.set(keyId, Math.max(later, usedAt.getTime()));
    }
    if (!this.#isClosed) this.#schedule();
  }
}

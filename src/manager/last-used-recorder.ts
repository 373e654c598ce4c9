import type { KeyStore, KeyUse } from '../stores/key-store.js';
import { warnOnce } from '../lib/warn.js';

/** Uses in one statement, and so many kept waiting that they are written early. */
const batchSize = 1_000;
const maxWaiting = 10_000;

/** Writes down when keys were used: in batches, off the path of requests, each key at most once an interval. */
export class LastUsedRecorder {
  readonly #store: KeyStore;
  readonly #intervalMs: number;
  readonly #onWritten: (keyIds: readonly string[]) => void;
  #waiting = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
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
    this.#waiting.set(keyId, usedAt);
    if (this.#waiting.size >= maxWaiting) void this.flush();
    else this.#schedule();
  }

  /** Writes what is waiting. Never rejects: what could not be written waits for the next time. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.flush(), this.#intervalMs).unref();
  }

  async #write(): Promise<void> {
    const uses: KeyUse[] = Array.from(this.#waiting, ([keyId, usedAt]) => ({
      keyId,
      usedAt: new Date(usedAt),
    }));
    this.#waiting = new Map();
    for (let start = 0; start < uses.length; start += batchSize) {
      const batch = uses.slice(start, start + batchSize);
      try {
        await this.#store.touch(batch);
        this.#onWritten(batch.map(({ keyId }) => keyId));
      } catch (error) {
        this.#keep(batch, error);
      }
    }
  }

  #keep(uses: readonly KeyUse[], error: unknown): void {
    // Text of ours alone: a driver's message may hold what it likes.
    const code =
      typeof error === 'object' && error !== null && 'code' in error ? ` (${String(error.code)})` : '';
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

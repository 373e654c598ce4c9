import { warnOnce } from '../../lib/warn.js';
import { within } from '../../lib/within.js';
import type { KeyStore } from '../../stores/key-store.js';

/** Uses in one statement. */
const batchSize = 1_000;
/** When this many wait, they are written early. */
const maxWaiting = 10_000;
const closeLimitMs = 5_000;
const soonMs = 1_000;

/** The last use of a key, kept with what is known of it: to note one more costs no look-up. */
export interface LastUse {
  readonly keyId: string;
  /** The key whose end is counted from the first use of this one, until that is written. */
  readonly ends: string | undefined;
  /** In milliseconds since 1970. */
  usedAt: number;
  /** Whether it has still to be written. */
  isWaiting: boolean;
}

/** Writes down when keys were used: in batches, off the path of requests, each key at most once an interval. */
export class LastUsedRecorder {
  readonly #store: KeyStore;
  readonly #intervalMs: number;
  readonly #onWritten: (uses: readonly LastUse[]) => void;
  readonly #alsoWrite: () => Promise<void>;
  #waiting: LastUse[] = [];
  /** The keys whose first use has been noted and has still to be written. */
  readonly #firstUses = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** The write that comes after the one under way, if one is asked for. */
  #next: Promise<void> | undefined;
  /** After a failure nothing is written early: the next time is the interval's. */
  #hasFailed = false;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  /**
   * @param onWritten told of the uses that were written
   * @param alsoWrite what else is to be written each time; must not reject
   */
  constructor(
    store: KeyStore,
    intervalMs: number,
    onWritten: (uses: readonly LastUse[]) => void,
    alsoWrite: () => Promise<void> = async () => {},
  ) {
    this.#store = store;
    this.#intervalMs = intervalMs;
    this.#onWritten = onWritten;
    this.#alsoWrite = alsoWrite;
  }

  /** Notes a use. Never waits and never fails. */
  record(use: LastUse, usedAt: number): void {
    if (use.ends !== undefined) {
      this.#recordFirst(use, usedAt);
      return;
    }
    use.usedAt = usedAt;
    if (use.isWaiting || this.#isClosed) return;
    const isFull = this.#waiting.length >= maxWaiting;
    // While the store fails, what does not fit is forgotten: memory stays bounded, and a later use is noted again.
    if (isFull && this.#hasFailed) return;
    this.#wait(use);
    if (isFull) void this.flush();
    else this.schedule();
  }

  /** Until it is written no later use may take its place, nor may it be forgotten: the end of the old key is counted from it. */
  #recordFirst(use: LastUse, usedAt: number): void {
    if (this.#firstUses.has(use.keyId) || this.#isClosed) return;
    this.#firstUses.add(use.keyId);
    use.usedAt = usedAt;
    this.#wait(use);
    void this.flush();
  }

  /**
   * Writes what is waiting, after what is being written: one at a time, or a store that hangs would find a queue when it is back. Never
   * rejects: what could not be written waits for the next time.
   */
  flush(): Promise<void> {
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#flushedAt = performance.now();
      const uses = this.#waiting;
      for (const use of uses) use.isWaiting = false;
      this.#waiting = [];
      this.#writing = this.#write(latestOfEach(uses)).then(this.#alsoWrite);
      return this.#writing;
    });
    return this.#next;
  }

  /** Writes what is waiting, for at most five seconds: a store that hangs must not keep a server from ending. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await within(closeLimitMs, this.flush()).catch(() => {});
  }

  /** Soon after a quiet time, so that operators see a use while they look; else an interval after the last write. */
  schedule(): void {
    if (this.#isClosed) return;
    const delayMs = Math.max(
      Math.min(soonMs, this.#intervalMs),
      this.#flushedAt + this.#intervalMs - performance.now(),
    );
    this.#timer ??= setTimeout(() => void this.flush(), delayMs).unref();
  }

  #wait(use: LastUse): void {
    use.isWaiting = true;
    this.#waiting.push(use);
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
    // The code alone, and only if it looks like one: a driver's message may hold what it likes.
    const given =
      typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    const code = typeof given === 'string' && /^\w{1,40}$/.test(given) ? ` (${given})` : '';
    warnOnce(
      `lastUsedAt could not be written${code}; requests are not affected, it is tried again.`,
    );
    for (const use of uses) {
      const hasRoom = this.#waiting.length < maxWaiting || use.ends !== undefined;
      if (!use.isWaiting && hasRoom) this.#wait(use);
    }
    this.schedule();
  }
}

/** A key that was looked up anew while a use of it was waiting has two entries. */
function latestOfEach(uses: readonly LastUse[]): LastUse[] {
  const latest = new Map<string, LastUse>();
  for (const use of uses) {
    const other = latest.get(use.keyId);
    if (!other || other.usedAt < use.usedAt) latest.set(use.keyId, use);
  }
  return [...latest.values()];
}

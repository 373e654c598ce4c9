import { dayMs } from '../../lib/durations.js';
import type { KeyUsage, UsageStore } from '../../stores/key-usage.js';
import { warnNotWritten } from './write-warning.js';

/** How many counts may be pending, each for one key and day. Further counts are lost. */
const maxPending = 10_000;

/** How often a key was used since its counts were last written. It lives in the cached key. */
export interface UseCount {
  readonly keyId: string;
  readonly user: string;
  admitted: number;
  refused: number;
  /** Whether it must still be written. */
  isPending: boolean;
}

/** Writes the counts from time to time. */
export interface UseCountsWriter {
  /** Writes within the interval. */
  schedule(): void;
  /** Writes as soon as it can. */
  flush(): void;
}

/** Counts the uses of known keys by day. They are written together with last uses. */
export class UseCounts {
  readonly #usage: UsageStore;
  readonly #writer: UseCountsWriter;
  /** Running counts of `#day`. */
  #running: UseCount[] = [];
  /** Complete counts: of earlier days, or of writes that failed. */
  #complete = new Map<string, KeyUsage>();
  #day = '';
  #dayStart = Number.POSITIVE_INFINITY;
  #dayEnd = Number.NEGATIVE_INFINITY;

  constructor(usage: UsageStore, writer: UseCountsWriter) {
    this.#usage = usage;
    this.#writer = writer;
  }

  /** Counts an admission at `now`, in milliseconds since 1970. Never waits and never fails. */
  admit(count: UseCount, now: number): void {
    if (now >= this.#dayEnd || now < this.#dayStart) this.#turnTo(now);
    count.admitted++;
    if (!count.isPending) this.#enqueue(count);
  }

  /** Counts a refusal for a reason of the key itself. */
  refuse(count: UseCount, now: number): void {
    if (now >= this.#dayEnd || now < this.#dayStart) this.#turnTo(now);
    count.refused++;
    if (!count.isPending) this.#enqueue(count);
  }

  /**
   * Writes the counts in one statement. Resolves to whether that succeeded. Never rejects: what
   * could not be written is tried again.
   */
  async write(): Promise<boolean> {
    this.#complete = this.#takeAll();
    if (this.#complete.size === 0) return true;
    const counts = this.#complete;
    this.#complete = new Map();
    try {
      // Always in one order of keys: two processes with different orders would deadlock.
      await this.#usage.add([...counts.values()].toSorted(byKey));
      return true;
    } catch (error) {
      warnNotWritten('uses per day', error);
      for (const count of counts.values()) this.#add(this.#complete, count);
      this.#writer.schedule();
      return false;
    }
  }

  /** Starts a new day, or reacts to a clock that was set. */
  #turnTo(now: number): void {
    this.#complete = this.#takeAll();
    this.#dayStart = Math.floor(now / dayMs) * dayMs;
    this.#dayEnd = this.#dayStart + dayMs;
    this.#day = new Date(this.#dayStart).toISOString().slice(0, 10);
  }

  #enqueue(count: UseCount): void {
    const pending = this.#running.length + this.#complete.size;
    if (pending >= maxPending) {
      // Dropped, because they would be counted on another day.
      count.admitted = count.refused = 0;
      return;
    }
    count.isPending = true;
    this.#running.push(count);
    if (pending + 1 === maxPending) this.#writer.flush();
    else if (pending === 0) this.#writer.schedule();
  }

  /** All counts so far. The running ones start again at zero. */
  #takeAll(): Map<string, KeyUsage> {
    const all = this.#complete;
    for (const count of this.#running) {
      const { keyId, user, admitted, refused } = count;
      this.#add(all, { day: this.#day, keyId, user, admitted, refused });
      count.admitted = count.refused = 0;
      count.isPending = false;
    }
    this.#running = [];
    return all;
  }

  /** A key that was looked up again has more than one count. */
  #add(counts: Map<string, KeyUsage>, { day, keyId, user, admitted, refused }: KeyUsage): void {
    const id = `${day} ${keyId}`;
    const known = counts.get(id);
    counts.set(id, {
      day,
      keyId,
      user,
      admitted: admitted + (known?.admitted ?? 0),
      refused: refused + (known?.refused ?? 0),
    });
  }
}

function byKey(a: KeyUsage, b: KeyUsage): number {
  if (a.keyId !== b.keyId) return a.keyId < b.keyId ? -1 : 1;
  return a.day < b.day ? -1 : 1;
}

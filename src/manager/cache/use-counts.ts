import { dayMs } from '../../lib/durations.js';
import { warnOnce } from '../../lib/warn.js';
import type { KeyUsage, UsageStore } from '../../stores/key-usage.js';

/** The most counts that wait, each of a key and a day. What comes beyond that is lost. */
const maxWaiting = 10_000;

/** How often a key was used since that was last written, kept with what is known of the key. */
export interface UseCount {
  readonly keyId: string;
  readonly user: string;
  admitted: number;
  refused: number;
  /** Whether it has still to be written. */
  isWaiting: boolean;
}

/** What writes the counts down from time to time. */
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
  /** Counts of `#day` that go on. */
  #running: UseCount[] = [];
  /** Counts that are complete: of days that are over, or not written when they should have been. */
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
    if (!count.isWaiting) this.#wait(count);
  }

  /** Counts a refusal for a reason that is the key's own. */
  refuse(count: UseCount, now: number): void {
    if (now >= this.#dayEnd || now < this.#dayStart) this.#turnTo(now);
    count.refused++;
    if (!count.isWaiting) this.#wait(count);
  }

  /** Writes what was counted, in one statement. Never rejects: what could not be written waits for the next time. */
  async write(): Promise<void> {
    this.#complete = this.#takeAll();
    if (this.#complete.size === 0) return;
    const counts = this.#complete;
    this.#complete = new Map();
    try {
      // In one order of keys everywhere: two processes that lock them in different ones would block each other.
      await this.#usage.add([...counts.values()].toSorted(byKey));
    } catch {
      warnOnce('uses per day could not be written; requests are not affected, it is tried again.');
      for (const count of counts.values()) this.#add(this.#complete, count);
      this.#writer.schedule();
    }
  }

  /** A day is over, or the clock was set. */
  #turnTo(now: number): void {
    this.#complete = this.#takeAll();
    this.#dayStart = Math.floor(now / dayMs) * dayMs;
    this.#dayEnd = this.#dayStart + dayMs;
    this.#day = new Date(this.#dayStart).toISOString().slice(0, 10);
  }

  #wait(count: UseCount): void {
    const waiting = this.#running.length + this.#complete.size;
    if (waiting >= maxWaiting) {
      // Not kept for later either: it would be counted on another day.
      count.admitted = count.refused = 0;
      return;
    }
    count.isWaiting = true;
    this.#running.push(count);
    if (waiting + 1 === maxWaiting) this.#writer.flush();
    else if (waiting === 0) this.#writer.schedule();
  }

  /** Everything that was counted until now; what runs begins anew. */
  #takeAll(): Map<string, KeyUsage> {
    const all = this.#complete;
    for (const count of this.#running) {
      const { keyId, user, admitted, refused } = count;
      this.#add(all, { day: this.#day, keyId, user, admitted, refused });
      count.admitted = count.refused = 0;
      count.isWaiting = false;
    }
    this.#running = [];
    return all;
  }

  /** A key that was looked up anew has more than one count. */
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

import { NoAnswerError } from '../../../lib/within.js';
import { BrokenRecordError } from '../../key-store-error.js';
import type { StoredKey } from '../../key-record.js';
import type { PostgresClient } from '../client.js';
import { toSafeError } from '../safe-error.js';

/** Digests in one statement. */
const maxTogether = 500;
/** Look-ups under way over one client. Each takes a connection of the caller's pool. */
const maxUnderWay = 2;

/**
 * The results of one statement. Throws if one record is broken, or if a missing key cannot be
 * called absent.
 */
export type Answer = (digest: string) => StoredKey | undefined;

/**
 * Sends one statement for these digests.
 *
 * @throws {BrokenRecordError} if one record may have made the whole statement fail.
 */
export type Ask = (digests: readonly string[], limitMs: number) => Promise<Answer>;

interface LookUp {
  readonly digest: string;
  readonly deadline: number;
  readonly resolve: (found: StoredKey | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Collects look-ups. A single look-up is sent at once. Look-ups that arrive while {@link
 * maxUnderWay} are under way share the next statement. So cold keys and floods cost few
 * statements and leave the pool to the application.
 *
 * No look-up joins a statement that was sent earlier: a request that follows a change must not
 * get an older answer.
 */
export class LookUpQueue {
  readonly #lanes: Lanes;
  readonly #limitMs: number;
  readonly #ask: Ask;
  /** Not sent yet, oldest first. */
  readonly #waiting = new Set<LookUp>();
  /** Not settled yet, oldest first. */
  readonly #open = new Set<LookUp>();
  #timer: NodeJS.Timeout | undefined;
  #isScheduled = false;

  /** @param limitMs counts from the call of `find`, including the wait */
  constructor(client: PostgresClient, limitMs: number, ask: Ask) {
    this.#lanes = lanesOf(client);
    this.#limitMs = limitMs;
    this.#ask = ask;
  }

  find(digest: string): Promise<StoredKey | undefined> {
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + this.#limitMs;
      const lookUp = { digest, deadline, resolve, reject };
      this.#open.add(lookUp);
      this.#waiting.add(lookUp);
      this.#timer ??= setTimeout(() => this.#expire(), this.#limitMs);
      if (this.#lanes.areIdle) this.proceed();
      else this.#proceedSoon();
    });
  }

  /** Sends what is waiting, if there is room. */
  proceed(): void {
    while (this.#waiting.size > 0 && this.#lanes.enter(this)) {
      const batch = this.#takeBatch();
      void this.#answer(batch).finally(() => {
        // Clients that were answered together often ask again together, so their place is kept
        // until the end of the turn. A key that comes alone does not wait for that.
        if (batch.length === 1) this.#lanes.leave();
        else setImmediate(() => this.#lanes.leave());
      });
    }
  }

  /**
   * Waits for the current turn of the event loop to end, so that its look-ups share one
   * statement.
   */
  #proceedSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.proceed();
    });
  }

  #takeBatch(): LookUp[] {
    const batch: LookUp[] = [];
    for (const lookUp of this.#waiting) {
      if (batch.length === maxTogether) break;
      this.#waiting.delete(lookUp);
      batch.push(lookUp);
    }
    return batch;
  }

  /**
   * Never rejects. A record that makes a statement fail must only affect its own key, so the
   * batch is split in halves and sent again. One by one would take longer than the other look-ups
   * may wait.
   */
  async #answer(batch: readonly LookUp[]): Promise<void> {
    try {
      await this.#send(batch);
    } catch (error) {
      const left = batch.filter((lookUp) => this.#open.has(lookUp));
      if (!(error instanceof BrokenRecordError) || left.length < 2)
        return this.#rejectAll(left, error);
      const middle = Math.ceil(left.length / 2);
      await this.#answer(left.slice(0, middle));
      await this.#answer(left.slice(middle));
    }
  }

  async #send(batch: readonly LookUp[]): Promise<void> {
    const limitMs = Math.ceil(batch.at(-1)!.deadline - performance.now());
    const digests = batch.map(({ digest }) => digest);
    const answer = await this.#ask(digests, Math.max(1, limitMs));
    for (const lookUp of batch) {
      try {
        lookUp.resolve(answer(lookUp.digest));
      } catch (error) {
        lookUp.reject(error);
      }
      this.#close(lookUp);
    }
  }

  /** All fail with one error, because callers count failures by its identity. */
  #rejectAll(lookUps: readonly LookUp[], error: unknown): void {
    for (const lookUp of lookUps) {
      lookUp.reject(error);
      this.#close(lookUp);
    }
  }

  #close(lookUp: LookUp): void {
    this.#open.delete(lookUp);
    if (this.#open.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Ends look-ups that have run out of time. Those not yet sent are never sent. */
  #expire(): void {
    const now = performance.now();
    const expired: LookUp[] = [];
    for (const lookUp of this.#open) {
      if (lookUp.deadline > now) {
        this.#timer = setTimeout(() => this.#expire(), Math.ceil(lookUp.deadline - now));
        break;
      }
      this.#waiting.delete(lookUp);
      expired.push(lookUp);
    }
    if (expired.length === 0) return;
    this.#rejectAll(expired, toSafeError('findByDigest', new NoAnswerError(this.#limitMs)));
  }
}

/** Counts the look-ups under way over one client, for all stores that share it. */
class Lanes {
  #underWay = 0;
  readonly #waiting = new Set<LookUpQueue>();

  get areIdle(): boolean {
    return this.#underWay === 0;
  }

  /** Takes a place, or remembers that this queue wants the next one. */
  enter(queue: LookUpQueue): boolean {
    if (this.#underWay === maxUnderWay) {
      this.#waiting.add(queue);
      return false;
    }
    this.#underWay++;
    return true;
  }

  leave(): void {
    this.#underWay--;
    for (const queue of this.#waiting) {
      if (this.#underWay === maxUnderWay) return;
      this.#waiting.delete(queue);
      queue.proceed();
    }
  }
}

const lanesByClient = new WeakMap<PostgresClient, Lanes>();

function lanesOf(client: PostgresClient): Lanes {
  const lanes = lanesByClient.get(client) ?? new Lanes();
  lanesByClient.set(client, lanes);
  return lanes;
}

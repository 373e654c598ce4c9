import { BrokenRecordError } from '../../stores/broken-record-error.js';

/** The longest that a store is left alone after a failure, in milliseconds. */
const maxPauseMs = 1_000;
/** A failure that came within so many milliseconds kept nobody waiting: the store may be asked again at once. */
const quickMs = 20;
/** How many times as long as a slow failure took the store is left alone. */
const pauseFactor = 10;

/**
 * Remembers that the store failed, so that requests neither pile up behind it nor each wait for it in turn: while it is slow to fail,
 * one attempt a second is made, sooner where an attempt took less than a tenth of that.
 */
export class CircuitBreaker {
  #error: unknown;
  #isUp = true;
  #failedAt = Number.NEGATIVE_INFINITY;
  #nextTryAt = 0;

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Why the store is not asked now. */
  createError(): Error {
    return new Error('the key store failed a moment ago', { cause: this.#error });
  }

  /** Whether the store may be asked now. A yes while it is down is the one attempt that is made. */
  mayTry(): boolean {
    if (this.#isUp) return true;
    // Monotonic: a clock set back must not keep a store that has come back waiting.
    const now = performance.now();
    if (now < this.#nextTryAt) return false;
    this.#nextTryAt = now + maxPauseMs;
    return true;
  }

  /** Makes a query, which may also throw at once, passes its outcome on, and learns from it. */
  async observe<Result>(query: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    try {
      const result = await query();
      this.recover();
      return result;
    } catch (error) {
      // The store has answered: it is one record that cannot be read.
      if (error instanceof BrokenRecordError) {
        this.recover();
        throw error;
      }
      // Look-ups that one statement answers fail with one error: that is one failure.
      if (error === this.#error && startedAt <= this.#failedAt) throw error;
      const failedAt = performance.now();
      this.#error = error;
      this.#failedAt = failedAt;
      this.#isUp = false;
      const tookMs = failedAt - startedAt;
      this.#nextTryAt =
        tookMs <= quickMs ? 0 : failedAt + Math.min(maxPauseMs, pauseFactor * tookMs);
      throw error;
    }
  }

  recover(): void {
    this.#isUp = true;
  }
}

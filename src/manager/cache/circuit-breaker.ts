import { BrokenRecordError } from '../../stores/key-store-error.js';

/** The longest pause after a failure, in milliseconds. */
const maxPauseMs = 1_000;
/**
 * A failure within this time, in milliseconds, kept nobody waiting, so the store may be asked
 * again at once.
 */
const quickMs = 20;
/** The pause after a slow failure, as a multiple of the time that it took. */
const pauseFactor = 10;

/**
 * Circuit breaker. After a fast failure, allows the next attempt at once. After a slow one,
 * allows one attempt a second, or earlier if the failure took less than a tenth of that. So
 * requests neither queue behind a failing store nor each wait for it.
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
    const cause = this.#isUp ? undefined : this.#error;
    return new Error('the key store failed a moment ago', { cause });
  }

  /** Whether the store may be asked now. While it is down, `true` grants the one attempt. */
  mayTry(): boolean {
    if (this.#isUp) return true;
    // Monotonic: a clock set back must not delay the next attempt.
    const now = performance.now();
    if (now < this.#nextTryAt) return false;
    this.#nextTryAt = now + maxPauseMs;
    return true;
  }

  /**
   * Learns that a query failed.
   *
   * @param startedAt on the monotonic clock
   */
  fail(error: unknown, startedAt: number): void {
    // The store has answered. Only one record is broken.
    if (error instanceof BrokenRecordError) {
      this.recover();
      return;
    }
    // Look-ups that share one statement fail with one error, which counts as one failure.
    if (error === this.#error && startedAt <= this.#failedAt) return;
    const failedAt = performance.now();
    this.#error = error;
    this.#failedAt = failedAt;
    this.#isUp = false;
    const tookMs = failedAt - startedAt;
    this.#nextTryAt = tookMs <= quickMs ? 0 : failedAt + Math.min(maxPauseMs, pauseFactor * tookMs);
  }

  /** Learns that the store answers. */
  recover(): void {
    this.#isUp = true;
  }
}

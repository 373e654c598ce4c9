/** How long a store that failed is left alone, in milliseconds. */
const retryMs = 1_000;

/**
 * Remembers that the store failed, so that requests neither pile up behind it nor each try it anew: while it is down one
 * attempt a second is made.
 */
export class StoreHealth {
  #error: unknown;
  #isUp = true;
  #nextTryAt = 0;

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Why the store is down. */
  get error(): Error {
    return new Error('the key store failed a moment ago', { cause: this.#error });
  }

  /** Whether the store may be asked now. A yes while it is down is the one attempt of this second. */
  mayTry(): boolean {
    if (this.#isUp) return true;
    // Monotonic: a clock set back must not keep a store that has come back waiting.
    const now = performance.now();
    if (now < this.#nextTryAt) return false;
    this.#nextTryAt = now + retryMs;
    return true;
  }

  /** Passes a query's outcome on, and learns from it. */
  async watch<Result>(query: Promise<Result>): Promise<Result> {
    try {
      const result = await query;
      this.recover();
      return result;
    } catch (error) {
      this.#error = error;
      this.#isUp = false;
      this.#nextTryAt = performance.now() + retryMs;
      throw error;
    }
  }

  recover(): void {
    this.#isUp = true;
    this.#error = undefined;
  }
}

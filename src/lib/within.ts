/** The database did not answer in time. The statement may have run or not. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';

  constructor(limitMs: number) {
    super(`no answer within ${Math.max(1, Math.round(limitMs))} ms`);
  }
}

/**
 * Settles as `work` does, or rejects after `limitMs`. With 0 it has no limit. A late outcome is
 * dropped.
 */
export function within<Result>(limitMs: number, work: Promise<Result>): Promise<Result> {
  if (limitMs === 0) return work;
  // Not `Promise.race`, which makes several promises more for each look-up.
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new NoAnswerError(limitMs)), limitMs);
    // A caller's store may return a plain value, or a promise of another library.
    Promise.resolve(work).then(
      (result) => {
        clearTimeout(timer);
        resolve(result);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

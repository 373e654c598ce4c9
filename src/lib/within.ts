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
export async function within<Result>(limitMs: number, work: Promise<Result>): Promise<Result> {
  if (limitMs === 0) return work;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new NoAnswerError(limitMs)), limitMs);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

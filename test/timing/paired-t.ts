export interface Difference {
  readonly mean: number;
  readonly standardError: number;
  /** Student's t of the mean; its sign is that of the difference. */
  readonly t: number;
}

/** Whether the mean of these differences is other than 0. */
export function pairedT(differences: readonly number[]): Difference {
  const mean = meanOf(differences);
  const squares = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const standardError = Math.sqrt(squares / (differences.length - 1) / differences.length);
  // No difference is none, also where there is no spread; a difference without any spread is as
  // clear as can be.
  return { mean, standardError, t: mean === 0 ? 0 : mean / standardError };
}

export const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

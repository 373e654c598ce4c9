import type { ComparedClasses } from './compare-classes.js';
import { meanOf, type Difference } from './paired-t.js';

/**
 * From this |t| of all repetitions together on there is an alarm. Without a leak that happens to
 * fewer than one comparison in 500 000: in the clearest of three crops, 3 * P(|t| > 5) < 2e-6.
 */
export const alarmAt = 5;

/** How many of the repetitions have to point in one direction. */
const agreeingPart = 0.75;

export interface Judgment extends Difference {
  /**
   * `leak`: an alarm, and three repetitions in four differ in its direction. `none`: no alarm.
   * `unclear`: an alarm that few repetitions share, as a burst of noise makes it, and that passes
   * for nothing.
   */
  readonly verdict: 'leak' | 'none' | 'unclear';
  /** The t of each repetition alone. */
  readonly alone: readonly number[];
}

/**
 * Judges all repetitions together. Each alone may stay below any alarm and all of them point in one
 * direction: eight times t = 2 are t = 5.7.
 */
export function judge(repetitions: readonly ComparedClasses[]): Judgment {
  const crops = (repetitions[0] ?? []).flatMap((_, crop) => {
    const differences = repetitions.flatMap((each) => each[crop] ?? []);
    return differences.length >= agreeingPart * repetitions.length ? [together(differences)] : [];
  });
  return crops.reduce((best, each) => (Math.abs(each.t) > Math.abs(best.t) ? each : best));
}

/** The mean of all, each weighted by how exactly it was measured. */
function together(differences: readonly Difference[]): Judgment {
  // No repetition is exact: clocks have steps.
  const weights = differences.map(({ standardError }) => 1 / Math.max(standardError, 1e-3) ** 2);
  const weight = weights.reduce((sum, each) => sum + each, 0);
  const mean =
    differences.reduce((sum, each, index) => sum + weights[index]! * each.mean, 0) / weight;
  const standardError = 1 / Math.sqrt(weight);
  const t = mean / standardError;
  const agreeing = meanOf(
    differences.map((each) => (Math.sign(each.mean) === Math.sign(mean) ? 1 : 0)),
  );
  const isAlarm = Math.abs(t) > alarmAt;
  const verdict = !isAlarm ? 'none' : agreeing >= agreeingPart ? 'leak' : 'unclear';
  return { mean, standardError, t, verdict, alone: differences.map((each) => each.t) };
}

import type { Difference } from './paired-t.js';

/**
 * From this |t| on a repetition counts as an alarm. Without a leak that happens to fewer than one in 200 000: over 200 tables and in the
 * best of three crops, 3 * P(|t| > 5) < 5e-6.
 */
export const alarmAt = 5;

/**
 * `leak`: three repetitions in four alarm, and in the same direction. `none`: at most one in four alarms, as a burst of noise may make
 * it. `unclear` is neither, and passes for nothing. Of eight repetitions without a leak three would have to alarm by chance to be called
 * anything but `none`: less than 1e-14; and if noise made one in twenty of them alarm, 0.6 %.
 */
export type Verdict = 'leak' | 'none' | 'unclear';

export function judge(repetitions: readonly Difference[]): Verdict {
  const alarms = repetitions.filter(({ t }) => Math.abs(t) > alarmAt);
  const slower = alarms.filter(({ t }) => t > 0).length;
  const agreeing = Math.max(slower, alarms.length - slower);
  if (agreeing >= 0.75 * repetitions.length) return 'leak';
  return alarms.length <= 0.25 * repetitions.length ? 'none' : 'unclear';
}

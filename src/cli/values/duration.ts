import { InvalidArgumentError } from 'commander';

const units = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

/**
 * Milliseconds of `90d`, `24h`, `30m`, `2w`, or `undefined`. Written here because common
 * libraries read a bare `90` as milliseconds and accept negative and fractional numbers. Such a
 * guess would end a key at the wrong time. Months and years have no fixed length.
 */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})([wdhms])$/.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * units[unit as keyof typeof units];
}

/** The shortest way to write it: `90d`, `36h`. */
export function formatDuration(ms: number): string {
  const [unit, size] =
    Object.entries(units).find(([, each]) => ms >= each && ms % each === 0) ?? [];
  if (size === undefined) return `${ms / 1_000}s`;
  return unit === 'w' ? `${ms / units.d}d` : `${ms / size}${unit}`;
}

/** Reads a duration within bounds, which messages repeat as they are written here. */
export function durationBetween(from: string, to: string): (text: string) => number {
  const [least, most] = [parseDuration(from)!, parseDuration(to)!];
  return (text) => {
    const ms = parseDuration(text);
    if (ms === undefined) throw new InvalidArgumentError('Write 30m, 24h, 90d or 2w.');
    if (ms < least || ms > most) throw new InvalidArgumentError(`Write ${from} to ${to}.`);
    return ms;
  };
}

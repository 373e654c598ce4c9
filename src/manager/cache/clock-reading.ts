/**
 * An instant on two clocks: the wall clock, which can be set, and a monotonic one. Both in
 * milliseconds.
 */
export interface ClockReading {
  readonly wall: number;
  readonly elapsed: number;
}

export const readClock = (now: () => number): ClockReading => ({
  wall: now(),
  elapsed: performance.now(),
});

/**
 * The greater of the ages on both clocks. Infinite if the wall clock was set back to before the
 * instant.
 */
export function ageOf({ wall, elapsed }: ClockReading, now: () => number): number {
  const byWall = now() - wall;
  return byWall < 0 ? Number.POSITIVE_INFINITY : Math.max(byWall, performance.now() - elapsed);
}

/** An instant by two clocks: that of the wall, which can be set, and one that only runs forward. Both in milliseconds. */
export interface Moment {
  readonly wall: number;
  readonly elapsed: number;
}

export const momentOf = (now: () => number): Moment => ({
  wall: now(),
  elapsed: performance.now(),
});

/** The greater of the ages by both clocks; without end where the wall clock was set back to before the instant. */
export function ageOf({ wall, elapsed }: Moment, now: () => number): number {
  const byWall = now() - wall;
  return byWall < 0 ? Number.POSITIVE_INFINITY : Math.max(byWall, performance.now() - elapsed);
}

export const later = (a: Moment, b: Moment): Moment => (a.elapsed >= b.elapsed ? a : b);

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ageOf, readClock } from '../../../src/manager/cache/clock-reading.js';

beforeEach(() => {
  vi.useFakeTimers();
  vi.advanceTimersByTime(10_000);
});
afterEach(() => void vi.useRealTimers());

describe('the age of a clock reading', () => {
  it('clocks that agree -> the time between', () => {
    const reading = readClock(Date.now);
    expect(ageOf(reading, Date.now)).toBe(0);
    vi.advanceTimersByTime(500);
    expect(ageOf(reading, Date.now)).toBe(500);
  });

  it('a wall clock that is behind -> the time by the other, so that nothing lives longer', () => {
    const start = Date.now();
    const reading = readClock(() => start);
    vi.advanceTimersByTime(500);
    expect(ageOf(reading, () => start + 20)).toBe(500);
    expect(ageOf(reading, () => start)).toBe(500);
  });

  it('a wall clock that is ahead -> the time by it', () => {
    const start = Date.now();
    expect(
      ageOf(
        readClock(() => start),
        () => start + 900,
      ),
    ).toBe(900);
  });

  it('a wall clock that was set back to before the moment -> without end', () => {
    const start = Date.now();
    expect(
      ageOf(
        readClock(() => start),
        () => start - 1,
      ),
    ).toBe(Number.POSITIVE_INFINITY);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ageOf, later, readClock } from '../../../src/manager/cache/clock-reading.js';

beforeEach(() => {
  vi.useFakeTimers();
  vi.advanceTimersByTime(10_000);
});
afterEach(() => void vi.useRealTimers());

describe('the age of a moment', () => {
  it('clocks that agree -> the time between', () => {
    const moment = readClock(Date.now);
    expect(ageOf(moment, Date.now)).toBe(0);
    vi.advanceTimersByTime(500);
    expect(ageOf(moment, Date.now)).toBe(500);
  });

  it('a wall clock that is behind -> the time by the other, so that nothing lives longer', () => {
    const start = Date.now();
    const moment = readClock(() => start);
    vi.advanceTimersByTime(500);
    expect(ageOf(moment, () => start + 20)).toBe(500);
    expect(ageOf(moment, () => start)).toBe(500);
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

describe('the later of two moments', () => {
  it('whatever the wall clock says -> the one that came last', () => {
    const first = { wall: 900, elapsed: 1 };
    const second = { wall: 100, elapsed: 2 };
    expect(later(first, second)).toBe(second);
    expect(later(second, first)).toBe(second);
  });

  it('at the same instant -> the first named', () => {
    const first = { wall: 1, elapsed: 1 };
    expect(later(first, { ...first })).toBe(first);
  });
});

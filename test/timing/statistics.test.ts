import { describe, expect, it } from 'vitest';
import { compareClasses, type Times } from './compare-classes.js';
import { judge } from './judge.js';
import { pairedT } from './paired-t.js';
import { seeded } from '../support/seeded.js';

interface Machine {
  readonly seed: number;
  /** By how much the second class takes longer. */
  readonly leakNs?: number;
  /** How far the places of two keys in memory may lie apart, in time. */
  readonly placeNs?: number;
}

/**
 * Times as a busy machine gives them: a floor, noise above it, now and then an interrupt, and now
 * and then a slow minute.
 */
function timesOf({ seed, leakNs = 0, placeNs = 0 }: Machine): Times[] {
  const random = seeded(seed);
  return Array.from({ length: 200 }, () => {
    const slow = random() < 0.2 ? 400 : 0;
    const sample = (extra: number) => () =>
      1_000 + slow + extra + 60 * (random() + random()) + (random() < 0.02 ? 20_000 * random() : 0);
    const classOf = (extra: number) =>
      Array.from({ length: 32 }, sample(extra + placeNs * random()));
    return [classOf(0), classOf(leakNs)] as const;
  });
}

const repeated = (machine: Omit<Machine, 'seed'>, first = 1) =>
  Array.from({ length: 8 }, (_, index) =>
    compareClasses(timesOf({ ...machine, seed: first + index })),
  );

const verdictOf = (...given: Parameters<typeof judge>) => judge(...given).verdict;

/** Repetitions by their t. */
const leaning = (...ts: number[]) => ts.map((t) => [{ t, mean: t, standardError: 1 }]);

describe('the statistics that look for leaks through time', () => {
  it('classes that are alike -> no leak, in any of four runs', () => {
    for (let run = 0; run < 4; run++) expect(verdictOf(repeated({}, 1 + 8 * run))).toBe('none');
  });

  it('classes that differ by a planted 8 ns in noise of hundreds -> a leak, in either direction', () => {
    expect(verdictOf(repeated({ leakNs: 8 }))).toBe('leak');
    expect(verdictOf(repeated({ leakNs: -8 }))).toBe('leak');
  });

  it('keys that stand in better and worse places, by chance -> no leak', () => {
    for (let run = 0; run < 4; run++) {
      expect(verdictOf(repeated({ placeNs: 400 }, 1 + 8 * run))).toBe('none');
    }
  });

  it('a class that is slower by far than whatever is cropped -> a leak all the same', () => {
    expect(verdictOf(repeated({ leakNs: 50_000 }))).toBe('leak');
  });

  it('eight repetitions that all lean to one side, each too little for an alarm -> a leak', () => {
    expect(verdictOf(leaning(3.6, 0.9, 2.1, 2.4, 1.2, 2.9, 1.8, 2.2))).toBe('leak');
    expect(verdictOf(leaning(-3.6, -0.9, -2.1, -2.4, -1.2, -2.9, -1.8, -2.2))).toBe('leak');
    expect(verdictOf(leaning(1.6, 0.9, 1.1, 1.4, 1.2, 1.9, 1.8, 1.2))).toBe('none');
    expect(verdictOf(leaning(3.6, -0.9, 2.1, -2.4, 1.2, -2.9, 1.8, -2.2))).toBe('none');
  });

  it('noise in one repetition of eight -> none; in two, and nothing in the others -> unclear', () => {
    expect(verdictOf(leaning(9, 0.1, -0.3, 0.2, -0.1, 0.4, -0.2, 0.1))).toBe('none');
    expect(verdictOf(leaning(9, 9, -0.3, -0.2, -0.1, -0.4, -0.2, 0.1))).toBe('unclear');
  });

  it('a repetition that was measured twice as exactly -> counts four times as much', () => {
    const { mean, standardError } = judge([
      [{ mean: 10, standardError: 1, t: 10 }],
      [{ mean: 0, standardError: 2, t: 0 }],
    ]);
    expect([mean, standardError.toFixed(3)]).toEqual([8, '0.894']);
  });

  it('a part of the samples in which most repetitions have only one class -> the next part tells', () => {
    const repetition = [undefined, { mean: 1, standardError: 1, t: 1 }];
    expect(judge([repetition, repetition]).mean).toBe(1);
  });

  it('five differences -> the t of the textbook', () => {
    const { mean, standardError, t } = pairedT([1, 2, 3, 4, 5]);
    expect([mean, standardError, t].map((value) => value.toFixed(4))).toEqual([
      '3.0000',
      '0.7071',
      '4.2426',
    ]);
  });
});

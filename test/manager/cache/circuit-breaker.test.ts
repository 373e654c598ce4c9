import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/manager/cache/circuit-breaker.js';
import { BrokenRecordError } from '../../../src/stores/key-store-error.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const cause = new Error('connection refused');
function fail(health: CircuitBreaker, tookMs = 0): void {
  const startedAt = performance.now();
  vi.advanceTimersByTime(tookMs);
  health.fail(cause, startedAt);
}

describe('a store that', () => {
  it('has not failed -> may be asked any number of times', () => {
    const health = new CircuitBreaker();
    expect(health.isUp).toBe(true);
    for (let i = 0; i < 3; i++) expect(health.mayTry()).toBe(true);
    health.recover();
    expect(health.isUp).toBe(true);
    for (let i = 0; i < 3; i++) expect(health.mayTry()).toBe(true);
  });

  it.each([0, 20])('has failed within %d ms -> may be asked at once', (tookMs) => {
    const health = new CircuitBreaker();
    fail(health, tookMs);
    expect(health.isUp).toBe(false);
    expect(health.createError()).toMatchObject({
      message: 'the key store failed a moment ago',
      cause,
    });
    expect(health.mayTry()).toBe(true);
  });

  it.each([
    [21, 210],
    [50, 500],
    [100, 1_000],
    [5_000, 1_000],
  ])(
    'took %d ms to fail -> is left alone for %d ms, then asked once a second',
    (tookMs, pauseMs) => {
      const health = new CircuitBreaker();
      fail(health, tookMs);
      vi.advanceTimersByTime(pauseMs - 1);
      expect(health.mayTry()).toBe(false);
      vi.advanceTimersByTime(1);
      expect(health.mayTry()).toBe(true);
      expect(health.mayTry()).toBe(false);
      vi.advanceTimersByTime(999);
      expect(health.mayTry()).toBe(false);
      vi.advanceTimersByTime(1);
      expect(health.mayTry()).toBe(true);
    },
  );

  it('answers again, or is seen alive -> is up, without the old error', () => {
    const health = new CircuitBreaker();
    fail(health);
    health.recover();
    expect(health.isUp).toBe(true);
    expect(health.mayTry()).toBe(true);
    expect(health.createError().cause).toBeUndefined();
  });

  it('answers with a record that cannot be read -> is up', () => {
    const health = new CircuitBreaker();
    fail(health);
    health.fail(new BrokenRecordError('a record cannot be read'), performance.now());
    expect(health.isUp).toBe(true);
    expect(health.createError().cause).toBeUndefined();
  });

  it.each<[string, unknown, boolean]>([
    ['that share a statement, and its error -> one failure', cause, true],
    ['with errors of their own -> two failures', new Error('another'), false],
  ])('fails two look-ups %s, also if it came back meanwhile', (_what, second, isUp) => {
    const health = new CircuitBreaker();
    const startedAt = performance.now();
    health.fail(cause, startedAt);
    health.recover();
    health.fail(second, startedAt);
    expect(health.isUp).toBe(isUp);
  });

  it('fails again with the very same error, asked later -> is down', () => {
    const health = new CircuitBreaker();
    fail(health);
    health.recover();
    vi.advanceTimersByTime(1);
    fail(health);
    expect(health.isUp).toBe(false);
  });
});

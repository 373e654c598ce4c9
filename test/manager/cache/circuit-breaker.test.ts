import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/manager/cache/circuit-breaker.js';
import { BrokenRecordError } from '../../../src/stores/key-store-error.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const cause = new Error('connection refused');
async function fail(health: CircuitBreaker, tookMs = 0): Promise<void> {
  const failing = health.observe(
    () => new Promise((_resolve, reject) => void setTimeout(reject, tookMs, cause)),
  );
  vi.advanceTimersByTime(tookMs);
  await expect(failing).rejects.toBe(cause);
}

describe('a store that', () => {
  it('has not failed -> may be asked any number of times', async () => {
    const health = new CircuitBreaker();
    expect(health.isUp).toBe(true);
    for (let i = 0; i < 3; i++) expect(health.mayTry()).toBe(true);
    await expect(health.observe(async () => 'found')).resolves.toBe('found');
    expect(health.isUp).toBe(true);
    for (let i = 0; i < 3; i++) expect(health.mayTry()).toBe(true);
  });

  it.each([0, 20])('has failed within %d ms -> may be asked at once', async (tookMs) => {
    const health = new CircuitBreaker();
    await fail(health, tookMs);
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
    async (tookMs, pauseMs) => {
      const health = new CircuitBreaker();
      await fail(health, tookMs);
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

  it('answers again, or is seen alive -> is up, without the old error', async () => {
    for (const mend of [
      (health: CircuitBreaker) => health.observe(async () => {}),
      async (health: CircuitBreaker) => health.recover(),
    ]) {
      const health = new CircuitBreaker();
      await fail(health);
      await mend(health);
      expect(health.isUp).toBe(true);
      expect(health.mayTry()).toBe(true);
      expect(health.createError().cause).toBeUndefined();
    }
  });

  it('answers with a record that cannot be read -> is up, and the error is passed on', async () => {
    const health = new CircuitBreaker();
    await fail(health);
    const broken = new BrokenRecordError('a record cannot be read');
    await expect(health.observe(() => Promise.reject(broken))).rejects.toBe(broken);
    expect(health.isUp).toBe(true);
    expect(health.createError().cause).toBeUndefined();
  });

  it.each<[string, unknown, boolean]>([
    ['that share a statement, and its error -> one failure', cause, true],
    ['with errors of their own -> two failures', new Error('another'), false],
  ])('fails two look-ups %s, also if it came back meanwhile', async (_what, second, isUp) => {
    const health = new CircuitBreaker();
    const rejects: ((error: unknown) => void)[] = [];
    const [one, two] = [1, 2].map(() =>
      health.observe(() => new Promise((_resolve, reject) => void rejects.push(reject))),
    );
    rejects[0]!(cause);
    await expect(one).rejects.toBe(cause);
    health.recover();
    rejects[1]!(second);
    await expect(two).rejects.toBe(second);
    expect(health.isUp).toBe(isUp);
  });

  it('fails again with the very same error, asked later -> is down', async () => {
    const health = new CircuitBreaker();
    await fail(health);
    health.recover();
    vi.advanceTimersByTime(1);
    await fail(health);
    expect(health.isUp).toBe(false);
  });
});

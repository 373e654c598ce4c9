import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreHealth } from '../../src/manager/store-health.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const cause = new Error('connection refused');
const fail = (health: StoreHealth) => expect(health.watch(Promise.reject(cause))).rejects.toBe(cause);

describe('a store that', () => {
  it('has not failed -> may be asked any number of times', async () => {
    const health = new StoreHealth();
    expect(health.isUp).toBe(true);
    for (let i = 0; i < 3; i++) expect(health.mayTry()).toBe(true);
    await expect(health.watch(Promise.resolve('found'))).resolves.toBe('found');
    expect(health.isUp).toBe(true);
    for (let i = 0; i < 3; i++) expect(health.mayTry()).toBe(true);
  });

  it('has failed -> is left alone for a second, then asked once a second', async () => {
    const health = new StoreHealth();
    await fail(health);
    expect(health.isUp).toBe(false);
    expect(health.error).toMatchObject({ message: 'the key store failed a moment ago', cause });
    vi.advanceTimersByTime(999);
    expect(health.mayTry()).toBe(false);
    vi.advanceTimersByTime(1);
    expect(health.mayTry()).toBe(true);
    expect(health.mayTry()).toBe(false);
    vi.advanceTimersByTime(999);
    expect(health.mayTry()).toBe(false);
    vi.advanceTimersByTime(1);
    expect(health.mayTry()).toBe(true);
  });

  it('answers again, or is seen alive -> is up, without the old error', async () => {
    for (const mend of [
      (health: StoreHealth) => health.watch(Promise.resolve()),
      async (health: StoreHealth) => health.recover(),
    ]) {
      const health = new StoreHealth();
      await fail(health);
      await mend(health);
      expect(health.isUp).toBe(true);
      expect(health.mayTry()).toBe(true);
      expect(health.error.cause).toBeUndefined();
    }
  });
});

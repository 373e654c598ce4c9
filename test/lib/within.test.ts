import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { within } from '../../src/lib/within.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<never>(() => {});

describe('within', () => {
  it('work that settles in time -> its outcome, and no timer is left', async () => {
    await expect(within(10, Promise.resolve('done'))).resolves.toBe('done');
    await expect(within(10, Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('work that does not -> rejects at the limit, not before', async () => {
    const outcome = vi.fn();
    const done = within(10, never).catch(outcome);
    await vi.advanceTimersByTimeAsync(9);
    expect(outcome).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await done;
    expect(outcome).toHaveBeenCalledWith(
      expect.objectContaining({ name: 'NoAnswerError', message: 'no answer within 10 ms' }),
    );
  });

  it('a limit that is no whole number -> told rounded', async () => {
    const outcome = expect(within(1999.9062, never)).rejects.toThrow('no answer within 2000 ms');
    await vi.advanceTimersByTimeAsync(2_000);
    await outcome;
  });

  it('a limit of 0 -> waits without a timer', async () => {
    void within(0, never);
    await expect(within(0, Promise.resolve('done'))).resolves.toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });
});

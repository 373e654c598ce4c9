import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openManager } from '../support/open-manager.js';
import { collectWarnings } from '../support/warnings.js';

const warnings = collectWarnings();

describe('lastUsedAt', () => {
  it('many uses in one interval -> one write a key, with the last of them, off the path of the request', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { keys, store, clock, codeOf } = openManager({ lastUsedIntervalMs: 1_000 });
    const [one, two] = [await keys.create({ user: 'alice' }), await keys.create({ user: 'bob' })];
    for (let i = 0; i < 5; i++) {
      await codeOf(one.key);
      await codeOf(two.key);
      clock.move(100);
    }
    expect(store.touches).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(store.touches).toEqual([[one.record.keyId, two.record.keyId]]);
    expect((await keys.get(one.record.keyId))?.lastUsedAt).toEqual(clock.at(-100));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(store.touches).toHaveLength(1);
  });

  it('a refused key -> no use', async () => {
    const { keys, store, codeOf } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.revoke(record.keyId);
    await codeOf(key);
    await keys.close();
    expect(store.touches).toEqual([]);
  });

  it('close() -> what is waiting is written, and a second close does nothing', async () => {
    const { keys, store, clock, codeOf } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    await keys.close();
    await keys.close();
    expect(store.touches).toHaveLength(1);
    expect((await keys.get(record.keyId))?.lastUsedAt).toEqual(clock.at(0));
  });

  it('a write that fails -> no request fails, one warning, written later with the newest use', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const mark = warnings.mark();
    const { keys, store, clock, codeOf } = openManager({ lastUsedIntervalMs: 1_000 });
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = () =>
      Promise.reject(Object.assign(new Error(`read-only for ${key}`), { code: '25006' }));
    await vi.advanceTimersByTimeAsync(1_000);
    clock.move(1_000);
    expect(await codeOf(key)).toBe('admitted');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(store.touches).toHaveLength(2);
    store.before = () => {};
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await keys.get(record.keyId))?.lastUsedAt).toEqual(clock.at(0));
    vi.useRealTimers();
    const told = (await warnings.since(mark)).filter((each) => each.includes('25006'));
    expect(told).toHaveLength(1);
    expect(told[0]).not.toContain(key);
  });
});

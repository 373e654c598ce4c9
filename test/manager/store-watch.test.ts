import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreWatch } from '../../src/manager/cache/store-watch.js';
import type { KeyStore, KeyStoreWatcher } from '../../src/stores/key-store.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watch, and the watcher that it has given to its store. */
function open(watch?: KeyStore['watch'] | 'not at all') {
  const told: string[] = [];
  let watcher: KeyStoreWatcher | undefined;
  const close = vi.fn(async () => {});
  const keepWatcher = (given: KeyStoreWatcher) => {
    watcher = given;
    return { close };
  };
  const store = (watch === 'not at all' ? {} : { watch: watch ?? keepWatcher }) as KeyStore;
  const watched = new StoreWatch(store, Date.now, {
    connected: () => void told.push('connected'),
    alive: () => void told.push('alive'),
    changed: (keyId) => void told.push(`changed ${keyId}`),
  });
  return { watched, told, close, watcher: () => watcher! };
}

describe('a watch that was started', () => {
  it('connected -> an epoch begins, seen just now', async () => {
    const { watched, told, watcher } = open();
    const started = watched.start();
    expect(watched.epoch).toBeUndefined();
    watcher().connected();
    await started;
    expect(watched.epoch).toEqual({
      lastAliveAt: { wall: Date.now(), elapsed: performance.now() },
    });
    expect(told).toEqual(['connected']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('alive -> the epoch is seen just now', () => {
    const { watched, told, watcher } = open();
    void watched.start();
    watcher().connected();
    vi.advanceTimersByTime(1_000);
    watcher().alive();
    expect(watched.epoch).toMatchObject({
      lastAliveAt: { wall: Date.now(), elapsed: performance.now() },
    });
    expect(told).toEqual(['connected', 'alive']);
  });

  it('alive before it is connected -> passed on, and no epoch begins', () => {
    const { watched, told, watcher } = open();
    void watched.start();
    watcher().alive();
    expect(told).toEqual(['alive']);
    expect(watched.epoch).toBeUndefined();
  });

  it('disconnected -> its epoch is over, and keeps when it was last alive', () => {
    const { watched, watcher } = open();
    void watched.start();
    watcher().connected();
    const before = watched.epoch!;
    const { lastAliveAt } = before;
    vi.advanceTimersByTime(1_000);
    watcher().disconnected();
    expect(watched.epoch).toBeUndefined();
    expect(before).toEqual({ lastAliveAt });
    watcher().disconnected();
    watcher().alive();
    expect(before.lastAliveAt).toBe(lastAliveAt);
  });

  it('connected again, told of the break or not -> another epoch', () => {
    for (const isTold of [true, false]) {
      const { watched, watcher } = open();
      void watched.start();
      watcher().connected();
      const before = watched.epoch;
      if (isTold) watcher().disconnected();
      watcher().connected();
      expect(watched.epoch).toBeDefined();
      expect(watched.epoch).not.toBe(before);
    }
  });

  it('for how long the store is there after it said so -> what the store says, else not at all', () => {
    const saying = open(() => ({ aliveForMs: 7_000, close: async () => {} })).watched;
    expect(saying.aliveForMs).toBe(0);
    void saying.start();
    expect(saying.aliveForMs).toBe(7_000);
    const silent = open().watched;
    void silent.start();
    expect(silent.aliveForMs).toBe(0);
  });

  it('started again -> the store is asked once', async () => {
    const { watched, watcher } = open();
    const first = watched.start();
    const given = watcher();
    expect(watched.start()).toBe(first);
    expect(watcher()).toBe(given);
  });

  it('a change -> passed on', () => {
    const { watched, told, watcher } = open();
    void watched.start();
    watcher().changed('key_1');
    expect(told).toEqual(['changed key_1']);
  });
});

describe('a watch that does not come about', () => {
  it.each<[string, KeyStore['watch'] | 'not at all']>([
    ['the store throws', () => expect.fail('down')],
    ['the store cannot', 'not at all'],
  ])('%s -> nobody waits, and nothing rejects', async (_what, watch) => {
    const { watched } = open(watch);
    await watched.start();
    expect(watched.epoch).toBeUndefined();
    await watched.close();
  });

  it('not connected within half a second -> nobody waits longer', async () => {
    const { watched } = open();
    const isOver = vi.fn();
    void watched.start().then(isOver);
    await vi.advanceTimersByTimeAsync(499);
    expect(isOver).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver).toHaveBeenCalled();
  });
});

describe('a watch that is closed', () => {
  it('while it is connected -> its epoch is over, and the store ends it', async () => {
    const { watched, watcher, close } = open();
    void watched.start();
    watcher().connected();
    await watched.close();
    expect(watched.epoch).toBeUndefined();
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('connected afterwards -> not told of, and no epoch begins', async () => {
    const { watched, watcher, told } = open();
    void watched.start();
    await watched.close();
    watcher().connected();
    expect(told).toEqual([]);
    expect(watched.epoch).toBeUndefined();
  });

  it('before it was started -> the store is not asked', async () => {
    const watch = vi.fn();
    const { watched } = open(watch);
    await watched.close();
    await watched.start();
    expect(watch).not.toHaveBeenCalled();
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreWatch } from '../../../src/manager/cache/store-watch.js';
import type { KeyStore, KeyStoreWatcher } from '../../../src/stores/key-store.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const trustMs = 30_000;

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
  const watched = new StoreWatch(store, Date.now, trustMs, {
    connected: () => void told.push('connected'),
    alive: () => void told.push('alive'),
    changed: (keyId) => void told.push(`changed ${keyId}`),
    doubted: () => void told.push('doubted'),
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

/** A watch that is connected and can be checked; each check waits until it is let go. */
function openChecked() {
  const checks: { heard: () => void; failed: () => void }[] = [];
  let given: KeyStoreWatcher;
  const opened = open((watcher) => {
    given = watcher;
    return {
      aliveForMs: 13_000,
      close: async () => {},
      check: () =>
        new Promise<void>((heard, reject) => {
          checks.push({ heard, failed: () => reject(new Error('not connected')) });
        }),
    };
  });
  void opened.watched.start();
  given!.connected();
  const ask = () => opened.watched.ask(Date.now());
  const reading = () => ({ wall: Date.now(), elapsed: performance.now() });
  return { ...opened, checks, watcher: given!, ask, reading };
}

/** Time passes without a timer being run, as for a process that is frozen. */
function freeze(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

describe('a watch that can be checked', () => {
  it('clock read each half second -> no doubt, and nothing is checked', () => {
    const { watched, told, checks, ask, reading } = openChecked();
    const askedAt = reading();
    vi.advanceTimersByTime(10_000);
    freeze(500);
    ask();
    expect(watched.isDoubted(askedAt)).toBe(false);
    expect(watched.settle()).toBeUndefined();
    expect(told).toEqual(['connected']);
    expect(checks).toEqual([]);
  });

  it.each<[string, (opened: ReturnType<typeof openChecked>) => void]>([
    ['a request', ({ ask }) => ask()],
    ['a heartbeat', ({ watcher }) => watcher.alive()],
    ['a timer', () => void vi.advanceTimersByTime(500)],
  ])(
    'frozen, %s read first -> what was asked before is in doubt until a check is heard',
    async (_what, wake) => {
      const opened = openChecked();
      const { watched, told, checks, ask, reading } = opened;
      const before = reading();
      vi.advanceTimersByTime(1);
      freeze(1_400);
      wake(opened);
      ask();
      expect(told).toContain('doubted');
      expect(watched.isDoubted(before)).toBe(true);
      expect(watched.isDoubted(reading())).toBe(false);
      const waiting = [watched.settle(), watched.settle()];
      expect(checks).toHaveLength(1);
      checks[0]!.heard();
      for (const each of waiting) await each;
      expect(watched.isDoubted(before)).toBe(false);
      expect(watched.settle()).toBeUndefined();
    },
  );

  it('the wall clock set back -> in doubt as well', () => {
    const { watched, ask, reading } = openChecked();
    const before = reading();
    vi.advanceTimersByTime(1_000);
    freeze(-60_000);
    ask();
    expect(watched.isDoubted(before)).toBe(true);
  });

  it('frozen again while a check is under way -> that check does not end the new doubt', async () => {
    const { watched, checks, ask, reading } = openChecked();
    const before = reading();
    vi.advanceTimersByTime(1);
    freeze(2_000);
    ask();
    const first = watched.settle();
    freeze(2_000);
    checks[0]!.heard();
    await first;
    expect(watched.isDoubted(before)).toBe(true);
    const second = watched.settle();
    expect(checks).toHaveLength(2);
    checks[1]!.heard();
    await second;
    expect(watched.isDoubted(before)).toBe(false);
  });

  it('a check that takes long -> nobody waits longer than half a second, and later ones not at all', async () => {
    const { watched, checks, ask, reading } = openChecked();
    const before = reading();
    vi.advanceTimersByTime(1);
    freeze(2_000);
    ask();
    const isOver = vi.fn();
    void watched.settle()!.then(isOver);
    await vi.advanceTimersByTimeAsync(499);
    expect(isOver).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver).toHaveBeenCalled();
    await watched.settle();
    expect(watched.isDoubted(before)).toBe(true);
    checks[0]!.heard();
    await vi.advanceTimersByTimeAsync(0);
    expect(watched.isDoubted(before)).toBe(false);
  });

  it('a check that fails -> in doubt until it is connected anew', async () => {
    const { watched, checks, watcher, ask, reading } = openChecked();
    const before = reading();
    vi.advanceTimersByTime(1);
    freeze(2_000);
    ask();
    const settled = watched.settle();
    checks[0]!.failed();
    await settled;
    watcher.disconnected();
    expect(watched.isDoubted(before)).toBe(true);
    watcher.connected();
    expect(watched.isDoubted(before)).toBe(false);
  });

  it('closed -> no timer is left', async () => {
    const { watched } = openChecked();
    await watched.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a watch that rests', () => {
  it('how long nothing was asked -> told to the store', () => {
    const { watcher, ask } = openChecked();
    vi.advanceTimersByTime(7_000);
    expect(watcher.idleMs!()).toBe(7_000);
    ask();
    expect(watcher.idleMs!()).toBe(0);
  });

  it('asked within the trust -> no doubt, and it is woken once', () => {
    const { watched, checks, watcher, ask, reading } = openChecked();
    const before = reading();
    watcher.resting!();
    vi.advanceTimersByTime(trustMs - 1);
    ask();
    ask();
    expect(watched.isDoubted(before)).toBe(false);
    expect(checks).toHaveLength(1);
  });

  it('hears no changes meanwhile -> no timer runs, and in doubt at once until a check is heard', async () => {
    const { watched, told, checks, watcher, ask, reading } = openChecked();
    const before = reading();
    watcher.resting!(true);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(1);
    ask();
    expect(watched.isDoubted(before)).toBe(true);
    expect(told).toContain('doubted');
    expect(checks).toHaveLength(1);
    const settled = watched.settle();
    checks[0]!.heard();
    await settled;
    expect(watched.isDoubted(before)).toBe(false);
  });

  it('hears no changes meanwhile, and the check fails -> in doubt until it is connected', async () => {
    const { watched, checks, watcher, ask, reading } = openChecked();
    const before = reading();
    watcher.resting!(true);
    // A change of its own has shown that the store is there.
    watcher.disconnected();
    watcher.connected();
    vi.advanceTimersByTime(1);
    ask();
    watcher.disconnected();
    checks[0]!.failed();
    await watched.settle();
    expect(watched.isDoubted(before)).toBe(true);
    watcher.connected();
    expect(watched.isDoubted(before)).toBe(false);
  });

  it('frozen meanwhile -> in doubt', () => {
    const { watched, watcher, ask, reading } = openChecked();
    const before = reading();
    watcher.resting!();
    vi.advanceTimersByTime(2_000);
    freeze(5_000);
    ask();
    expect(watched.isDoubted(before)).toBe(true);
  });

  it('for longer than the trust -> in doubt until a check is heard, and no timer runs meanwhile', async () => {
    const { watched, checks, watcher, ask, reading } = openChecked();
    const before = reading();
    watcher.resting!();
    vi.advanceTimersByTime(trustMs + 1_000);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(3_600_000);
    ask();
    expect(watched.isDoubted(before)).toBe(true);
    const settled = watched.settle();
    expect(checks).toHaveLength(1);
    checks[0]!.heard();
    await settled;
    expect(watched.isDoubted(before)).toBe(false);
    freeze(2_000);
    ask();
    expect(watched.isDoubted(before)).toBe(true);
  });
});

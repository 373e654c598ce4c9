import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MemoryKeyStore } from '../../src/index.js';
import { CountingStore, unwatched } from '../support/counting-store.js';
import { down, openManager } from '../support/open-manager.js';
import { nextTurn } from '../support/warnings.js';

describe('store down', () => {
  it('cold key -> rejects, which the guard answers 503; never unknown', async () => {
    const { keys, store } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    store.before = down;
    for (let i = 0; i < 3; i++)
      await expect(keys.verify(key)).rejects.toThrow('the key store failed');
  });

  it('warm key -> admitted up to staleIfErrorMs after it was last confirmed, then rejects', async () => {
    const { keys, store, clock, codeOf } = openManager({ staleIfErrorMs: 60_000 });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    clock.move(10_000);
    store.watcher!.alive();
    store.before = down;
    store.watcher!.disconnected();
    clock.move(59_999);
    expect(await codeOf(key)).toBe('admitted');
    clock.move(1);
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
  });

  it('warm key on a store that announces nothing -> the same, counted from its look-up', async () => {
    const store = unwatched(new CountingStore());
    const { keys, clock, codeOf } = openManager({
      store,
      staleIfErrorMs: 60_000,
      cacheTtlMs: 1_000,
    });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = down;
    clock.move(59_999);
    expect(await codeOf(key)).toBe('admitted');
    clock.move(1);
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
  });

  it('staleIfErrorMs 0, warm key, the watch lost with the store -> refused at once, though cacheTtlMs is not over', async () => {
    const { keys, store, codeOf } = openManager({ staleIfErrorMs: 0 });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = down;
    store.watcher!.disconnected();
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
  });

  it('staleIfErrorMs 0, a store that never says that it is alive -> asked for each request, refused when it fails', async () => {
    for (const store of [new CountingStore(), unwatched(new CountingStore())]) {
      const { keys, codeOf } = openManager({ store, staleIfErrorMs: 0 });
      const { key } = await keys.create({ user: 'alice' });
      await codeOf(key);
      expect(await codeOf(key)).toBe('admitted');
      expect(store.lookups).toBe(2);
      store.before = down;
      await expect(codeOf(key)).rejects.toThrow('the key store failed');
    }
  });

  it('warm key on a store that is watched but never says that it is alive -> the same, counted from its look-up', async () => {
    const store = new MemoryKeyStore();
    const { keys, clock, codeOf } = openManager({ store });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.findByDigest = down;
    clock.move(299_999);
    expect(await codeOf(key)).toBe('admitted');
    clock.move(1);
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
  });

  it('warm key that expires during the outage -> expired', async () => {
    const { keys, store, clock, codeOf } = openManager();
    const { key } = await keys.create({ user: 'alice', expiresAt: clock.at(40_000) });
    await codeOf(key);
    store.before = down;
    store.watcher!.disconnected();
    clock.move(40_000);
    expect(await codeOf(key)).toBe('expired_api_key');
  });

  it('a clock set back -> nothing is taken as fresh, and nobody gets in on it', async () => {
    const { keys, store, clock, codeOf } = openManager({ store: unwatched(new CountingStore()) });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = down;
    clock.move(-3_600_000);
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
  });

  it('many warm keys at once -> nobody waits behind the first failure', async () => {
    const store = unwatched(new CountingStore());
    const { keys, clock, codeOf } = openManager({ store, cacheTtlMs: 1_000 });
    const created = await Promise.all(
      Array.from({ length: 50 }, () => keys.create({ user: 'alice' })),
    );
    for (const { key } of created) await codeOf(key);
    clock.move(2_000);
    store.before = down;
    expect(await codeOf(created[0]!.key)).toBe('admitted');
    const asked = store.lookups;
    store.before = () => new Promise(() => {});
    const codes = await Promise.all(created.map(({ key }) => codeOf(key)));
    expect(new Set(codes)).toEqual(new Set(['admitted']));
    expect(store.lookups).toBeLessThanOrEqual(asked + 1);
    store.before = () => {};
  });

  it('store back -> recovers by itself, with the next request', async () => {
    // It fails at once, on a busy machine too.
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { keys, store, codeOf } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    store.before = down;
    await expect(codeOf(key)).rejects.toThrow();
    store.before = () => {};
    await nextTurn();
    expect(await codeOf(key)).toBe('admitted');
  });

  it('a watch that sees the store alive -> recovers at once', async () => {
    const { keys, store, codeOf } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    store.before = () =>
      new Promise((_resolve, reject) => void setTimeout(reject, 60, new Error('no answer')));
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
    await expect(codeOf(key)).rejects.toThrow('failed a moment ago');
    store.before = () => {};
    store.watcher!.alive();
    expect(await codeOf(key)).toBe('admitted');
  });

  it('a watch that cannot be started -> the keys are checked all the same', async () => {
    const store = new CountingStore();
    store.watch = down;
    const { keys, codeOf } = openManager({ store });
    const { key } = await keys.create({ user: 'alice' });
    expect(await codeOf(key)).toBe('admitted');
  });
});

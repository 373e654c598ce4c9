import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestApiKey, type KeyStoreWatcher } from '../../src/index.js';
import { arrive } from '../support/call-guard.js';
import { CountingStore, unwatched } from '../support/counting-store.js';
import { down, openManager } from '../support/open-manager.js';
import { nextTurn } from '../support/warnings.js';

/** Look-ups wait until they are let go. */
function hold(store: CountingStore): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  store.before = () => held;
  return () => {
    store.before = () => {};
    release();
  };
}

describe('a look-up under way', () => {
  it('its key changed meanwhile -> the answer is not kept', async () => {
    const { keys, store, codeOf } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    const release = hold(store);
    const early = codeOf(key);
    await vi.waitFor(() => expect(store.lookups).toBe(1));
    store.watcher!.changed(record.keyId);
    release();
    expect(await early).toBe('admitted');
    expect(await codeOf(key)).toBe('admitted');
    expect(store.lookups).toBe(2);
  });

  it('everything may have changed meanwhile -> neither a known nor an unknown key is kept', async () => {
    const { keys, store, codeOf } = openManager({ legacyKeys: true });
    const { key } = await keys.create({ user: 'alice' });
    const release = hold(store);
    const early = Promise.all([codeOf(key), codeOf('unknown')]);
    await vi.waitFor(() => expect(store.lookups).toBe(2));
    store.watcher!.changed('');
    release();
    expect(await early).toEqual(['admitted', 'invalid_api_key']);
    await codeOf(key);
    await codeOf('unknown');
    expect(store.lookups).toBe(4);
  });

  it('another key changed meanwhile -> a known key is kept, an unknown one is not', async () => {
    const { keys, store, codeOf } = openManager({ legacyKeys: true });
    const { key } = await keys.create({ user: 'alice' });
    const release = hold(store);
    const early = Promise.all([codeOf(key), codeOf('unknown')]);
    await vi.waitFor(() => expect(store.lookups).toBe(2));
    store.watcher!.changed('key_0123456789');
    release();
    await early;
    await codeOf(key);
    expect(store.lookups).toBe(2);
    await codeOf('unknown');
    expect(store.lookups).toBe(3);
  });

  it('a change before it was sent, while the watch is not there yet -> the same query serves both', async () => {
    const store = new CountingStore();
    let watcher: KeyStoreWatcher | undefined;
    store.watch = (given) => {
      watcher = given;
      return { close: async () => {} };
    };
    const { keys, codeOf } = openManager({ store });
    const { key, record } = await keys.create({ user: 'alice' });
    const first = codeOf(key);
    await nextTurn();
    await keys.revoke(record.keyId);
    const second = codeOf(key);
    watcher!.connected();
    expect([await first, await second]).toEqual(['revoked_api_key', 'revoked_api_key']);
    expect(store.lookups).toBe(1);
  });

  it('a change after it was sent -> a later request does not join it', async () => {
    const { keys, store, codeOf } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    const release = hold(store);
    const first = codeOf(key);
    await vi.waitFor(() => expect(store.lookups).toBe(1));
    store.watcher!.changed(record.keyId);
    const second = codeOf(key);
    await vi.waitFor(() => expect(store.lookups).toBe(2));
    release();
    expect([await first, await second]).toEqual(['admitted', 'admitted']);
  });

  it('overtaken by a later one that found the key revoked -> what it brings back late is not kept', async () => {
    const { keys, store, clock, codeOf } = openManager({ store: unwatched(new CountingStore()) });
    const { key, record } = await keys.create({ user: 'alice' });
    const early = await store.inner.findByDigest(digestApiKey(key));
    const real = store.findByDigest.bind(store);
    let release = () => {};
    store.findByDigest = async () => {
      await new Promise<void>((resolve) => (release = resolve));
      return early;
    };
    const slow = codeOf(key);
    await nextTurn();
    store.findByDigest = real;
    // A change of another key, after which no request joins a query that is under way; that of this key is announced to nobody.
    await keys.create({ user: 'bob' });
    await store.inner.revoke(record.keyId, clock.at(0), { family: false });
    expect(await codeOf(key)).toBe('revoked_api_key');
    release();
    expect(await slow).toBe('admitted');
    expect(await codeOf(key)).toBe('revoked_api_key');
  });
});

describe('what is kept', () => {
  it('one key changed -> it is looked up anew, the others are not', async () => {
    const { keys, store, codeOf } = openManager();
    const [changed, other] = [await keys.create({ user: 'alice' }), await keys.create({ user: 'bob' })];
    await codeOf(changed.key);
    await codeOf(other.key);
    store.watcher!.changed(changed.record.keyId);
    await codeOf(other.key);
    expect(store.lookups).toBe(2);
    await codeOf(changed.key);
    expect(store.lookups).toBe(3);
  });

  it('a change that failed by a lost answer -> what was known of the key is not trusted any longer', async () => {
    const { keys, store, clock, codeOf } = openManager({ store: unwatched(new CountingStore()) });
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.revoke = async (...args) => {
      await store.inner.revoke(...args);
      throw new Error('connection lost');
    };
    await expect(keys.revoke(record.keyId)).rejects.toThrow('connection lost');
    clock.move(1);
    expect(await codeOf(key)).toBe('revoked_api_key');
  });

  it('closed -> the watch is ended, once', async () => {
    const store = new CountingStore();
    const close = vi.fn(async () => {});
    store.watch = (watcher) => {
      watcher.connected();
      return { close };
    };
    const { keys, codeOf } = openManager({ store });
    await codeOf((await keys.create({ user: 'alice' })).key);
    await keys.close();
    await keys.close();
    expect(close).toHaveBeenCalledTimes(1);
  });
});

describe('a watch', () => {
  it('that does not connect within half a second -> the look-up is made all the same', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const store = new CountingStore();
    store.watch = () => ({ close: async () => {} });
    const { keys, codeOf } = openManager({ store });
    const { key } = await keys.create({ user: 'alice' });
    const code = codeOf(key);
    await vi.advanceTimersByTimeAsync(499);
    expect(store.lookups).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(await code).toBe('admitted');
    expect(vi.getTimerCount()).toBe(1);
  });

  it('broken twice -> what was found before the first break is not trusted for the second', async () => {
    const { keys, store, clock, codeOf } = openManager({ cacheTtlMs: 1_000 });
    const [old, fresh] = [await keys.create({ user: 'alice' }), await keys.create({ user: 'bob' })];
    await codeOf(old.key);
    store.watcher!.disconnected();
    clock.move(10_000);
    store.watcher!.connected();
    await codeOf(fresh.key);
    expect(store.lookups).toBe(2);
    store.watcher!.disconnected();
    store.watcher!.disconnected();
    await codeOf(fresh.key);
    expect(store.lookups).toBe(2);
    await codeOf(old.key);
    expect(store.lookups).toBe(3);
  });
});

describe('a store that is down', () => {
  it('a warm key, a second later -> served at once, with one attempt beside it', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { keys, store, clock, codeOf } = openManager({
      store: unwatched(new CountingStore()),
      cacheTtlMs: 1_000,
    });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    clock.move(2_000);
    store.before = down;
    expect(await codeOf(key)).toBe('admitted');
    expect(await codeOf(key)).toBe('admitted');
    expect(store.lookups).toBe(2);
    await vi.advanceTimersByTimeAsync(1_000);
    const release = hold(store);
    expect([await codeOf(key), await codeOf(key)]).toEqual(['admitted', 'admitted']);
    expect(store.lookups).toBe(3);
    release();
    await nextTick();
    await codeOf(key);
    expect(store.lookups).toBe(3);
  });

  it('a fault -> names the store, with what the store threw as its cause', async () => {
    const { keys, store } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    store.before = down;
    await expect(keys.verify(key)).rejects.toMatchObject({
      message: 'the key store failed',
      cause: { message: 'connection refused' },
    });
    await expect(keys.verify(key)).rejects.toMatchObject({ cause: { message: 'connection refused' } });
  });
});

const nextTick = () => vi.advanceTimersByTimeAsync(0);

describe('a manager', () => {
  it('a replaced key -> reported as reuse, with the request it came by; one that was only revoked -> not', async () => {
    const seen: unknown[] = [];
    const keep = (message: unknown) => void seen.push(message);
    subscribe('require-api-key:reuse', keep);
    onTestFinished(() => void unsubscribe('require-api-key:reuse', keep));
    const { keys } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.rotate(record.keyId, { overlapMs: 0 });
    const { req } = arrive();
    await keys.verify(key, req as never);
    await keys.verify(key);
    const other = await keys.create({ user: 'bob' });
    await keys.revoke(other.record.keyId);
    await keys.verify(other.key);
    const message = { keyId: record.keyId, user: 'alice', source: 'managed', code: 'expired_api_key' };
    expect(seen).toStrictEqual([{ request: req, ...message }, message]);
  });

  it('an expiry for a key id that is not known -> rejects with unknown_key_id', async () => {
    const { keys, clock } = openManager();
    await expect(keys.update('key_0123456789', { expiresAt: clock.at(1) })).rejects.toMatchObject({
      code: 'unknown_key_id',
    });
  });
});

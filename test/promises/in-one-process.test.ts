import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, digestApiKey, generateApiKey, type ApiKeyManagerOptions } from '../../src/index.js';
import { Clock, CountingStore, unwatched } from '../support/counting-store.js';
import { collectWarnings } from '../support/warnings.js';

const warnings = collectWarnings();

function open(options: Partial<ApiKeyManagerOptions> & { store?: CountingStore } = {}) {
  const clock = new Clock();
  const store = options.store ?? new CountingStore();
  const keys = new ApiKeyManager({ now: clock.now, ...options, store });
  onTestFinished(() => keys.close());
  const codeOf = async (key: string) => {
    const result = await keys.verify(key);
    return result.ok ? 'admitted' : result.code;
  };
  return { clock, store, keys, codeOf };
}

const down = () => {
  throw new Error('connection refused');
};

describe('revoke, rotate, update, expire seen in the same process: next request', () => {
  it('a warm key that is revoked -> refused by the next look-up', async () => {
    const { keys, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    expect(await codeOf(key)).toBe('admitted');
    await keys.revoke(record.keyId);
    expect(await codeOf(key)).toBe('revoked_api_key');
  });

  it('a warm key that is updated -> its new scopes, name and expiry by the next look-up', async () => {
    const { keys, clock } = open();
    const { key, record } = await keys.create({ user: 'alice', scopes: ['a'], name: 'laptop' });
    await keys.verify(key);
    await keys.update(record.keyId, { scopes: ['b'], name: null, expiresAt: clock.at(5_000) });
    const result = await keys.verify(key);
    expect(result).toMatchObject({ ok: true, apiKey: { scopes: ['b'], expiresAt: clock.at(5_000) } });
    expect(result.ok && 'name' in result.apiKey).toBe(false);
  });

  it('a warm key that is rotated without overlap -> expired for it, admitted for its successor', async () => {
    const { keys, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.verify(key);
    const successor = await keys.rotate(record.keyId, { overlapMs: 0 });
    expect(await codeOf(key)).toBe('expired_api_key');
    expect(await codeOf(successor.key)).toBe('admitted');
  });

  it('a key that was asked for before it was imported -> known by the next look-up', async () => {
    const { keys, codeOf, store } = open();
    const { key } = generateApiKey();
    expect(await codeOf(key)).toBe('invalid_api_key');
    expect(await codeOf(key)).toBe('invalid_api_key');
    expect(store.lookups).toBe(1);
    await keys.import({ user: 'alice', key });
    expect(await codeOf(key)).toBe('admitted');
  });

  it('a look-up that was under way while the key was revoked -> not kept', async () => {
    const { keys, codeOf, store } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    const found = await store.inner.findByDigest(digestApiKey(key));
    let release = () => {};
    store.before = () => new Promise((resolve) => (release = resolve));
    store.alter = () => found;
    const slow = codeOf(key);
    await vi.waitFor(() => expect(store.lookups).toBe(1));
    await keys.revoke(record.keyId);
    store.before = () => {};
    store.alter = (stored) => stored;
    expect(await codeOf(key)).toBe('revoked_api_key');
    release();
    await slow;
    expect(await codeOf(key)).toBe('revoked_api_key');
  });
});

describe('expiry: exact, also on a cached key', () => {
  it('one millisecond before -> admitted; at the instant -> expired', async () => {
    const { keys, clock, codeOf, store } = open();
    const { key } = await keys.create({ user: 'alice', expiresAt: clock.at(1_000) });
    expect(await codeOf(key)).toBe('admitted');
    clock.move(999);
    expect(await codeOf(key)).toBe('admitted');
    clock.move(1);
    expect(await codeOf(key)).toBe('expired_api_key');
    expect(store.lookups).toBe(1);
  });

  it('a handler that moves the date in its identity -> the key expires all the same', async () => {
    const { keys, clock, codeOf } = open();
    const { key } = await keys.create({ user: 'alice', expiresAt: clock.at(1_000) });
    const result = await keys.verify(key);
    if (result.ok) result.apiKey.expiresAt!.setFullYear(2999);
    clock.move(1_000);
    expect(await codeOf(key)).toBe('expired_api_key');
  });
});

describe('queries', () => {
  it('per request, warm: 0', async () => {
    const { keys, store } = open();
    const { key } = await keys.create({ user: 'alice' });
    for (let i = 0; i < 50; i++) await keys.verify(key);
    expect(store.lookups).toBe(1);
  });

  it('for N concurrent requests with one cold key: 1', async () => {
    const { keys, store, codeOf } = open();
    const { key } = await keys.create({ user: 'alice' });
    const codes = await Promise.all(Array.from({ length: 100 }, () => codeOf(key)));
    expect(new Set(codes)).toEqual(new Set(['admitted']));
    expect(store.lookups).toBe(1);
  });

  it('for a key that does not parse: 0', async () => {
    const { keys, store, codeOf } = open();
    const { key } = await keys.create({ user: 'alice' });
    for (const bad of ['x', key.slice(1), `${key}x`, `${key.slice(0, -1)}!`, '', ' ', 'ü', 'x'.repeat(600)]) {
      expect(await codeOf(bad)).toBe('invalid_api_key');
    }
    expect(await codeOf(undefined as never)).toBe('invalid_api_key');
    expect(store.lookups).toBe(0);
  });

  it('with legacyKeys, for a key of another form: 1, and admitted', async () => {
    const { keys, store, codeOf } = open({ legacyKeys: true });
    await keys.import({ user: 'alice', key: 'old-key-from-before' });
    expect(await codeOf('old-key-from-before')).toBe('admitted');
    expect(await codeOf('old-key-from-elsewhere')).toBe('invalid_api_key');
    expect(store.lookups).toBe(2);
    const strict = new ApiKeyManager({ store });
    expect(await strict.verify('old-key-from-before')).toEqual({ ok: false, code: 'invalid_api_key' });
  });

  it('on a store that announces nothing: one more after cacheTtlMs', async () => {
    const { keys, clock, store, codeOf } = open({ store: unwatched(new CountingStore()), cacheTtlMs: 1_000 });
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    await store.inner.revoke(record.keyId, new Date(clock.ms), { family: false });
    clock.move(999);
    expect(await codeOf(key)).toBe('admitted');
    clock.move(1);
    expect(await codeOf(key)).toBe('revoked_api_key');
    expect(store.lookups).toBe(2);
  });

  it('after the watch was broken and mended: one more, since something may have been missed', async () => {
    const { keys, store, codeOf, clock } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.watcher!.disconnected();
    store.isDeaf = true;
    await store.inner.revoke(record.keyId, new Date(clock.ms), { family: false });
    store.isDeaf = false;
    store.watcher!.connected();
    expect(await codeOf(key)).toBe('revoked_api_key');
  });
});

describe('store down', () => {
  it('cold key -> rejects, which the guard answers 503; never unknown', async () => {
    const { keys, store } = open();
    const { key } = await keys.create({ user: 'alice' });
    store.before = down;
    await expect(keys.verify(key)).rejects.toThrow('the key store failed');
    await expect(keys.verify(key)).rejects.toThrow('the key store failed a moment ago');
    expect(store.lookups).toBe(1);
  });

  it('warm key -> admitted up to staleIfErrorMs after it was last confirmed, then rejects', async () => {
    const { keys, store, clock, codeOf } = open({ staleIfErrorMs: 60_000 });
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
    const { keys, clock, codeOf } = open({ store, staleIfErrorMs: 60_000, cacheTtlMs: 1_000 });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = down;
    clock.move(59_999);
    expect(await codeOf(key)).toBe('admitted');
    clock.move(1);
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
  });

  it('warm key that expires during the outage -> expired', async () => {
    const { keys, store, clock, codeOf } = open();
    const { key } = await keys.create({ user: 'alice', expiresAt: clock.at(40_000) });
    await codeOf(key);
    store.before = down;
    store.watcher!.disconnected();
    clock.move(40_000);
    expect(await codeOf(key)).toBe('expired_api_key');
  });

  it('a clock set back -> nothing is taken as fresh, and nobody gets in on it', async () => {
    const { keys, store, clock, codeOf } = open({ store: unwatched(new CountingStore()) });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = down;
    clock.move(-3_600_000);
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
  });

  it('many warm keys at once -> nobody waits behind the first failure', async () => {
    const store = unwatched(new CountingStore());
    const { keys, clock, codeOf } = open({ store, cacheTtlMs: 1_000 });
    const created = await Promise.all(Array.from({ length: 50 }, () => keys.create({ user: 'alice' })));
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

  it('store back -> recovers by itself', async () => {
    const { keys, store, codeOf } = open();
    const { key } = await keys.create({ user: 'alice' });
    store.before = down;
    await expect(codeOf(key)).rejects.toThrow();
    store.before = () => {};
    await vi.waitFor(async () => expect(await codeOf(key)).toBe('admitted'), { timeout: 3_000 });
  });

  it('a watch that sees the store alive -> recovers at once', async () => {
    const { keys, store, codeOf } = open();
    const { key } = await keys.create({ user: 'alice' });
    store.before = down;
    await expect(codeOf(key)).rejects.toThrow();
    store.before = () => {};
    store.watcher!.alive();
    expect(await codeOf(key)).toBe('admitted');
  });

  it('a watch that cannot be started -> the keys are checked all the same', async () => {
    const store = new CountingStore();
    store.watch = down;
    const { keys, codeOf } = open({ store });
    const { key } = await keys.create({ user: 'alice' });
    expect(await codeOf(key)).toBe('admitted');
  });
});

describe('memory: at most maxCachedKeys entries each of known and unknown keys', () => {
  it('ten thousand unknown keys -> the known ones stay warm', async () => {
    const { keys, store, codeOf } = open({ maxCachedKeys: 100 });
    const created = await Promise.all(Array.from({ length: 100 }, () => keys.create({ user: 'alice' })));
    for (const { key } of created) await codeOf(key);
    for (let i = 0; i < 10_000; i++) await codeOf(generateApiKey().key);
    const before = store.lookups;
    for (const { key } of created) expect(await codeOf(key)).toBe('admitted');
    expect(store.lookups).toBe(before);
  });

  it('more known keys than fit -> the least used are asked for again', async () => {
    const { keys, store, codeOf } = open({ maxCachedKeys: 2 });
    const created = await Promise.all(Array.from({ length: 3 }, () => keys.create({ user: 'alice' })));
    for (const { key } of created) await codeOf(key);
    expect(store.lookups).toBe(3);
    await codeOf(created[2]!.key);
    expect(store.lookups).toBe(3);
    await codeOf(created[0]!.key);
    expect(store.lookups).toBe(4);
  });
});

describe('lastUsedAt', () => {
  it('many uses in one interval -> one write a key, with the last of them, off the path of the request', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { keys, store, clock, codeOf } = open({ lastUsedIntervalMs: 1_000 });
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
    const { keys, store, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.revoke(record.keyId);
    await codeOf(key);
    await keys.close();
    expect(store.touches).toEqual([]);
  });

  it('close() -> what is waiting is written, and a second close does nothing', async () => {
    const { keys, store, clock, codeOf } = open();
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
    const { keys, store, clock, codeOf } = open({ lastUsedIntervalMs: 1_000 });
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = () => Promise.reject(Object.assign(new Error(`read-only for ${key}`), { code: '25006' }));
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

describe('rotation', () => {
  it.each([0, 1, 5_000])(
    'with an overlap of %d ms -> the old key works until one millisecond before the deadline',
    async (overlapMs) => {
      const { keys, clock, codeOf } = open();
      const { key, record } = await keys.create({ user: 'alice' });
      const { key: next } = await keys.rotate(record.keyId, { overlapMs });
      if (overlapMs > 0) {
        clock.move(overlapMs - 1);
        expect(await codeOf(key)).toBe('admitted');
        clock.move(1);
      }
      expect(await codeOf(key)).toBe('expired_api_key');
      expect(await codeOf(next)).toBe('admitted');
    },
  );

  it('an overlap beyond the old expiry -> the old key dies when it would have, and its successor with it', async () => {
    const { keys, clock, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice', expiresAt: clock.at(2_000) });
    const rotated = await keys.rotate(record.keyId, { overlapMs: 86_400_000 });
    expect(rotated.previous.expiresAt).toEqual(clock.at(2_000));
    expect(rotated.record.expiresAt).toEqual(clock.at(2_000));
    clock.move(2_000);
    expect([await codeOf(key), await codeOf(rotated.key)]).toEqual(['expired_api_key', 'expired_api_key']);
  });

  it('from first use on -> the old key works until the overlap after it, to the millisecond', async () => {
    const { keys, clock, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    const { key: next } = await keys.rotate(record.keyId, { overlapMs: 5_000, startsAt: 'first-use' });
    clock.move(30 * 86_400_000);
    expect(await codeOf(key)).toBe('admitted');
    expect(await codeOf(next)).toBe('admitted');
    await vi.waitFor(async () => expect((await keys.get(record.keyId))?.expiresAt).toEqual(clock.at(5_000)));
    clock.move(4_999);
    expect([await codeOf(key), await codeOf(next)]).toEqual(['admitted', 'admitted']);
    clock.move(1);
    expect([await codeOf(key), await codeOf(next)]).toEqual(['expired_api_key', 'admitted']);
  });

  it('a successor that is replaced before its first use -> the first key ends all the same', async () => {
    const { keys, clock, codeOf } = open();
    const first = await keys.create({ user: 'alice' });
    const second = await keys.rotate(first.record.keyId, { overlapMs: 5_000, startsAt: 'first-use' });
    expect(await codeOf(first.key)).toBe('admitted');
    await keys.rotate(second.record.keyId, { overlapMs: 60_000, startsAt: 'first-use' });
    clock.move(4_999);
    expect(await codeOf(first.key)).toBe('admitted');
    clock.move(1);
    expect(await codeOf(first.key)).toBe('expired_api_key');
  });

  it('concurrent rotations of one key: exactly one successor', async () => {
    const { keys } = open();
    const { record } = await keys.create({ user: 'alice' });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => keys.rotate(record.keyId)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await keys.list({ user: 'alice' })).toHaveLength(2);
  });

  it('a rotated key used after its deadline -> refused, and reported as reuse', async () => {
    const reported: unknown[] = [];
    const listener = (message: unknown) => void reported.push(message);
    subscribe('require-api-key:reuse', listener);
    onTestFinished(() => void unsubscribe('require-api-key:reuse', listener));
    const { keys, clock, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.rotate(record.keyId, { overlapMs: 1_000 });
    expect(await codeOf(key)).toBe('admitted');
    expect(reported).toEqual([]);
    clock.move(1_000);
    expect(await codeOf(key)).toBe('expired_api_key');
    expect(reported).toEqual([
      { keyId: record.keyId, user: 'alice', source: 'managed', code: 'expired_api_key' },
    ]);
  });
});

import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestApiKey, generateApiKey, type KeyStoreWatcher } from '../../../src/index.js';
import { CountingStore, unwatched } from '../../support/counting-store.js';
import { down, openManager } from '../../support/open-manager.js';
import { nextTurn } from '../../support/warnings.js';

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

/** Look-ups of a known and of an unknown key that wait. */
async function twoUnderWay() {
  const { keys, store, codeOf } = openManager({ legacyKeys: true });
  const { key } = await keys.create({ user: 'alice' });
  const release = hold(store);
  const early = Promise.all([codeOf(key), codeOf('unknown')]);
  await vi.waitFor(() => expect(store.lookups).toBe(2));
  return { store, codeOf, key, release, early };
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
    const { store, codeOf, key, release, early } = await twoUnderWay();
    store.watcher!.changed('');
    release();
    expect(await early).toEqual(['admitted', 'invalid_api_key']);
    await codeOf(key);
    await codeOf('unknown');
    expect(store.lookups).toBe(4);
  });

  it('another key changed meanwhile -> a known key is kept, an unknown one is not', async () => {
    const { store, codeOf, key, release, early } = await twoUnderWay();
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
    // A change of another key, after which no request joins a query that is under way; that of this
    // key is announced to nobody.
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
    const [changed, other] = [
      await keys.create({ user: 'alice' }),
      await keys.create({ user: 'bob' }),
    ];
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

  it('a key id that got another digest by hand while the watch was down -> a revocation still reaches it', async () => {
    const { store, keys, codeOf } = openManager();
    const [old, fresh] = [generateApiKey(), generateApiKey()];
    const record = await keys.import({ user: 'alice', key: old.key });
    await codeOf(old.key);
    store.watcher!.disconnected();
    const moved = { ...(await store.inner.findByDigest(old.digest))!, digest: fresh.digest };
    let isRevoked = false;
    store.findByDigest = async (digest) =>
      digest === fresh.digest
        ? { ...moved, ...(isRevoked && { revokedAt: new Date() }) }
        : undefined;
    store.watcher!.connected();
    expect(await codeOf(fresh.key)).toBe('admitted');
    expect(await codeOf(old.key)).toBe('invalid_api_key');
    isRevoked = true;
    store.watcher!.changed(record.keyId);
    expect(await codeOf(fresh.key)).toBe('revoked_api_key');
  });

  it('a watch that says connected after it was closed, or cannot be closed -> nothing is trusted to it', async () => {
    const store = new CountingStore();
    let watcher: KeyStoreWatcher | undefined;
    store.watch = (given) => {
      watcher = given;
      given.connected();
      return { close: () => Promise.reject(new Error('stuck')) };
    };
    const { keys, clock, codeOf } = openManager({ store, cacheTtlMs: 1_000 });
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    await keys.close().catch(() => {});
    watcher!.connected();
    await store.inner.revoke(record.keyId, new Date(clock.ms), { family: false });
    clock.move(1_000);
    expect(await codeOf(key)).toBe('revoked_api_key');
    store.watch = undefined as never;
  });

  it('a store without heartbeats that is lost -> a key confirmed a moment ago is served on', async () => {
    const { store, keys, codeOf, clock } = openManager({ staleIfErrorMs: 60_000 });
    await codeOf(generateApiKey().key);
    clock.move(3_600_000);
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    clock.move(1_000);
    store.before = () => Promise.reject(new Error('down'));
    store.watcher!.disconnected();
    expect(await codeOf(key)).toBe('admitted');
  });

  it('a store that never answers -> a fault after ten seconds, and asked anew when it is back', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { store, keys, codeOf } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    store.before = () => new Promise(() => {});
    const hung = expect(codeOf(key)).rejects.toThrow('the key store failed');
    await vi.advanceTimersByTimeAsync(10_000);
    await hung;
    store.before = () => {};
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await codeOf(key)).toBe('admitted');
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

  it('silent for longer than its store says that it is there -> what is known is trusted as without a watch', async () => {
    const store = new CountingStore();
    const { inner } = store;
    store.watch = (watcher) => {
      store.watcher = watcher;
      return { ...inner.watch!(watcher), aliveForMs: 10_000 };
    };
    const { keys, clock, codeOf } = openManager({ store, cacheTtlMs: 1_000 });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    clock.move(9_999);
    await codeOf(key);
    expect(store.lookups).toBe(1);
    clock.move(1);
    await codeOf(key);
    expect(store.lookups).toBe(2);
    store.watcher!.alive();
    clock.move(9_999);
    await codeOf(key);
    expect(store.lookups).toBe(2);
    clock.move(-10_000);
    await codeOf(key);
    expect(store.lookups).toBe(3);
  });

  it('on a store that says that it is there, cacheTtlMs 0 -> a known key costs no query', async () => {
    const store = new CountingStore();
    const { inner } = store;
    store.watch = (watcher) => ({ ...inner.watch!(watcher), aliveForMs: 10_000 });
    const { keys, codeOf } = openManager({ store, cacheTtlMs: 0 });
    const { key } = await keys.create({ user: 'alice' });
    for (let i = 0; i < 3; i++) expect(await codeOf(key)).toBe('admitted');
    expect(store.lookups).toBe(1);
  });

  it('that connects while a look-up is under way -> a later request does not join it', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const store = new CountingStore();
    let watcher: KeyStoreWatcher | undefined;
    store.watch = (given) => {
      watcher = given;
      return { close: async () => {} };
    };
    const { keys, codeOf } = openManager({ store });
    const { key } = await keys.create({ user: 'alice' });
    const release = hold(store);
    const first = codeOf(key);
    await vi.advanceTimersByTimeAsync(500);
    expect(store.lookups).toBe(1);
    watcher!.connected();
    const second = codeOf(key);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.lookups).toBe(2);
    release();
    expect([await first, await second]).toEqual(['admitted', 'admitted']);
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
  it('a warm key -> served at once, with one attempt at a time beside it', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { keys, store, clock, codeOf } = openManager({
      store: unwatched(new CountingStore()),
      cacheTtlMs: 1_000,
    });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    clock.move(2_000);
    store.before = () => new Promise((_resolve, reject) => void setTimeout(reject, 50));
    const first = codeOf(key);
    await vi.advanceTimersByTimeAsync(50);
    expect(await first).toBe('admitted');
    expect(await codeOf(key)).toBe('admitted');
    expect(store.lookups).toBe(2);
    await vi.advanceTimersByTimeAsync(500);
    const release = hold(store);
    expect([await codeOf(key), await codeOf(key)]).toEqual(['admitted', 'admitted']);
    expect(store.lookups).toBe(3);
    release();
    await vi.advanceTimersByTimeAsync(0);
    await codeOf(key);
    expect(store.lookups).toBe(3);
  });

  it('asked again at once, where it failed at once -> the first answer counts', async () => {
    // "At once" is within 20 ms, which a busy machine cannot promise.
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { keys, store, codeOf } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    store.before = down;
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
    store.before = () => {};
    await nextTurn();
    expect(await codeOf(key)).toBe('admitted');
  });

  it('a fault -> names the store, with what the store threw as its cause', async () => {
    const { keys, store } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    store.before = down;
    await expect(keys.verify(key)).rejects.toMatchObject({
      message: 'the key store failed',
      cause: { message: 'connection refused' },
    });
    store.before = () =>
      new Promise((_resolve, reject) => void setTimeout(reject, 40, new Error('timed out')));
    await expect(keys.verify(key)).rejects.toMatchObject({ cause: { message: 'timed out' } });
    await expect(keys.verify(key)).rejects.toMatchObject({
      message: 'the key store failed a moment ago',
      cause: { message: 'timed out' },
    });
  });
});

describe('a store that announces nothing', () => {
  it('a new key presented too early, as with a pool on a standby that lags -> admitted a second later; a known one stays cached', async () => {
    const { keys, store, clock, codeOf } = openManager({ store: unwatched(new CountingStore()) });
    const { key } = await keys.create({ user: 'alice' });
    const find = store.findByDigest.bind(store);
    store.findByDigest = async () => undefined;
    expect(await codeOf(key)).toBe('invalid_api_key');
    store.findByDigest = find;

    clock.ms += 999;
    expect(await codeOf(key)).toBe('invalid_api_key');
    clock.ms += 1;
    expect(await codeOf(key)).toBe('admitted');
    const asked = store.lookups;
    clock.ms += 20_000;
    expect(await codeOf(key)).toBe('admitted');
    expect(store.lookups).toBe(asked);
  });
});

describe('a watch that was lost and is there again', () => {
  it('a revocation that was announced in between -> refused, though the store says that it is alive', async () => {
    const store = new CountingStore();
    let watcher: KeyStoreWatcher | undefined;
    store.watch = (given) => {
      watcher = given;
      queueMicrotask(() => given.connected());
      return { aliveForMs: 60_000, close: async () => {} };
    };
    const { keys, clock, codeOf } = openManager({ store });
    const { key, record } = await keys.create({ user: 'alice' });
    expect(await codeOf(key)).toBe('admitted');
    await store.inner.revoke(record.keyId, clock.at(0), { family: false });
    watcher!.connected();
    expect(await codeOf(key)).toBe('revoked_api_key');
  });
});

describe('a process that was frozen', () => {
  /** A store whose watch can be checked. Each check does what the test says. */
  function openChecked(check: (watcher: KeyStoreWatcher) => Promise<void>) {
    const store = new CountingStore();
    let checks = 0;
    store.watch = (watcher) => {
      queueMicrotask(() => watcher.connected());
      return {
        close: async () => {},
        check: () => {
          checks++;
          return check(watcher);
        },
      };
    };
    return { ...openManager({ store, cacheTtlMs: 60_000 }), checks: () => checks };
  }

  it('and missed nothing, as a check of the watch tells -> what was known is good, without a query', async () => {
    const { keys, store, clock, codeOf, checks } = openChecked(async () => {});
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    clock.move(1_001);
    expect(await codeOf(key)).toBe('admitted');
    expect([store.lookups, checks()]).toEqual([1, 1]);
    expect(await codeOf(key)).toBe('admitted');
    expect([store.lookups, checks()]).toEqual([1, 1]);
  });

  it('and missed a revocation that the check brings -> refused', async () => {
    let revoked = '';
    const { keys, store, clock, codeOf } = openChecked(async (watcher) => watcher.changed(revoked));
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    revoked = record.keyId;
    await store.inner.revoke(record.keyId, clock.at(0), { family: false });
    clock.move(1_001);
    expect(await codeOf(key)).toBe('revoked_api_key');
    expect(store.lookups).toBe(2);
  });

  it('and the check fails -> looked up anew', async () => {
    const { keys, store, clock, codeOf } = openChecked(() => Promise.reject(new Error('lost')));
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    await store.inner.revoke(record.keyId, clock.at(0), { family: false });
    clock.move(1_001);
    expect(await codeOf(key)).toBe('revoked_api_key');
  });
});

import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  digestApiKey,
  generateApiKey,
  type ApiKeyManagerOptions,
  type KeyStoreWatcher,
} from '../../src/index.js';
import { CountingStore, unwatched } from '../support/counting-store.js';
import { openManager } from '../support/open-manager.js';
import { nextTurn } from '../support/warnings.js';

const open = (store = new CountingStore(), options: Partial<ApiKeyManagerOptions> = {}) =>
  openManager({ ...options, store });

describe('what is kept of a key', () => {
  it('a key id that got another digest by hand while the watch was down -> a revocation still reaches it', async () => {
    const { store, keys, codeOf } = open();
    const [old, fresh] = [generateApiKey(), generateApiKey()];
    const record = await keys.import({ user: 'alice', key: old.key });
    await codeOf(old.key);
    store.watcher!.disconnected();
    const moved = { ...(await store.inner.findByDigest(old.digest))!, digest: fresh.digest };
    let isRevoked = false;
    store.findByDigest = async (digest) =>
      digest === fresh.digest ? { ...moved, ...(isRevoked && { revokedAt: new Date() }) } : undefined;
    store.watcher!.connected();
    expect(await codeOf(fresh.key)).toBe('admitted');
    expect(await codeOf(old.key)).toBe('invalid_api_key');
    isRevoked = true;
    store.watcher!.changed(record.keyId);
    expect(await codeOf(fresh.key)).toBe('revoked_api_key');
  });

  it('two queries for one key that overtake each other -> the later one counts', async () => {
    const store = unwatched(new CountingStore());
    const { keys, codeOf, clock } = open(store, { cacheTtlMs: 1_000 });
    const { key, record } = await keys.create({ user: 'alice' });
    const early = await store.inner.findByDigest(digestApiKey(key));
    const real = store.findByDigest.bind(store);
    let release = () => {};
    store.findByDigest = async () => {
      await new Promise<void>((resolve) => (release = resolve));
      return early;
    };
    const slow = codeOf(key);
    await vi.waitFor(() => expect(release).not.toBe(undefined));
    store.findByDigest = real;
    await keys.revoke(record.keyId);
    expect(await codeOf(key)).toBe('revoked_api_key');
    release();
    await slow;
    clock.move(10);
    expect(await codeOf(key)).toBe('revoked_api_key');
  });

  it('a watch that says connected after it was closed, or cannot be closed -> nothing is trusted to it', async () => {
    const store = new CountingStore();
    let watcher: KeyStoreWatcher | undefined;
    store.watch = (given) => {
      watcher = given;
      given.connected();
      return { close: () => Promise.reject(new Error('stuck')) };
    };
    const { keys, clock, codeOf } = open(store, { cacheTtlMs: 1_000 });
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
    const { store, keys, codeOf, clock } = open(new CountingStore(), { staleIfErrorMs: 60_000 });
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
    const { store, keys, codeOf } = open();
    const { key } = await keys.create({ user: 'alice' });
    store.before = () => new Promise(() => {});
    const hung = expect(codeOf(key)).rejects.toThrow('the key store failed');
    await vi.advanceTimersByTimeAsync(10_000);
    await hung;
    store.before = () => {};
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await codeOf(key)).toBe('admitted');
  });

  it('a key that was rotated -> its end can be brought forward, not put off', async () => {
    const { keys, clock } = open();
    const { record } = await keys.create({ user: 'alice' });
    await keys.rotate(record.keyId, { overlapMs: 5_000 });
    for (const expiresAt of [null, clock.at(5_001)]) {
      await expect(keys.update(record.keyId, { expiresAt })).rejects.toMatchObject({
        code: 'already_rotated',
      });
    }
    expect((await keys.update(record.keyId, { expiresAt: clock.at(1_000) })).expiresAt).toEqual(
      clock.at(1_000),
    );
  });
});

describe('what waits to be written', () => {
  it('a first use whose write fails at first -> the old key ends counted from it, not from a later use', async () => {
    const { store, keys, clock, codeOf } = open(new CountingStore(), { lastUsedIntervalMs: 20 });
    const { record } = await keys.create({ user: 'alice' });
    const { key } = await keys.rotate(record.keyId, { overlapMs: 5_000, startsAt: 'first-use' });
    store.before = () => (store.touches.length > 0 ? Promise.reject(new Error('down')) : undefined);
    await codeOf(key);
    await vi.waitFor(() => expect(store.touches).toHaveLength(1));
    clock.move(1_000);
    await codeOf(key);
    store.before = () => {};
    await vi.waitFor(async () => expect((await keys.get(record.keyId))?.expiresAt).toEqual(clock.at(4_000)));
  });

  it('more keys than fit while the store fails -> one write an interval, and requests go on', async () => {
    const { store, keys, codeOf } = open(new CountingStore(), { lastUsedIntervalMs: 3_600_000 });
    const { record, key } = await keys.create({ user: 'alice' });
    let ids = 0;
    store.alter = (stored) => ({ ...stored!, keyId: `key_${ids++}` });
    const found = await store.inner.findByDigest(digestApiKey(key));
    store.findByDigest = async (digest) => ({ ...found!, digest, keyId: `${record.keyId}${ids++}` });
    store.touch = async (uses) => {
      store.touches.push(uses.map(({ keyId }) => keyId));
      throw Object.assign(new Error('down'), { code: Object.create(null) });
    };
    for (let i = 0; i < 10_100; i++) expect(await codeOf(generateApiKey().key)).toBe('admitted');
    await new Promise((resolve) => void setTimeout(resolve, 20));
    // Ten thousand and one uses, a thousand a statement.
    expect(store.touches.length).toBeLessThanOrEqual(11);
  });

  it('more uses than fit while the store fails -> a first use is not among those that are forgotten', async () => {
    const { store, keys, codeOf } = open(new CountingStore(), { lastUsedIntervalMs: 3_600_000 });
    const { record } = await keys.create({ user: 'alice' });
    const successor = await keys.rotate(record.keyId, { overlapMs: 5_000, startsAt: 'first-use' });
    const found = (await store.inner.findByDigest(digestApiKey(successor.key)))!;
    const plain = { ...found, replaces: undefined, overlapMs: undefined } as never as typeof found;
    let ids = 0;
    store.findByDigest = async (digest) =>
      digest === found.digest ? found : { ...plain, digest, keyId: `key_${ids++}` };
    const written: string[] = [];
    store.touch = () => Promise.reject(new Error('down'));
    for (let i = 0; i < 10_050; i++) await codeOf(generateApiKey().key);
    expect(await codeOf(successor.key)).toBe('admitted');
    await nextTurn();
    await codeOf(generateApiKey().key);
    store.touch = async (uses) => void written.push(...uses.map(({ keyId }) => keyId));
    await keys.close();
    expect(written).toContain(successor.record.keyId);
    expect(written.length).toBeLessThanOrEqual(10_001);
  });

  it('writes that hang -> one more waits behind them, however long it takes', async () => {
    const { store, keys, codeOf } = open(new CountingStore(), { lastUsedIntervalMs: 1 });
    const { key } = await keys.create({ user: 'alice' });
    let release = () => {};
    const hung = new Promise<void>((resolve) => (release = resolve));
    store.before = () => (store.touches.length > 0 ? hung : undefined);
    for (let i = 0; i < 30; i++) {
      await codeOf(key);
      await new Promise((resolve) => void setTimeout(resolve, 2));
    }
    expect(store.touches).toHaveLength(1);
    release();
    await keys.close();
    expect(store.touches).toHaveLength(2);
  });

  it('a write that fails while close() waits for it -> what it held is written once more', async () => {
    const { store, keys, codeOf } = open();
    const { record } = await keys.create({ user: 'alice' });
    const { key } = await keys.rotate(record.keyId, { overlapMs: 5_000, startsAt: 'first-use' });
    let fail = (_error: Error) => {};
    const failing = new Promise<void>((_resolve, reject) => (fail = reject));
    store.before = () => (store.touches.length === 1 ? failing : undefined);
    await codeOf(key);
    await vi.waitFor(() => expect(store.touches).toHaveLength(1));
    const closed = keys.close();
    fail(new Error('connection reset'));
    await closed;
    expect((await store.inner.get(record.keyId))?.expiresAt).toBeDefined();
  });

  it('a store that hangs -> close() ends all the same', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { store, keys, codeOf } = open();
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = () => new Promise(() => {});
    const closed = keys.close();
    await vi.advanceTimersByTimeAsync(5_000);
    await closed;
  });
});

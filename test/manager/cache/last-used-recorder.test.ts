import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestApiKey, generateApiKey } from '../../../src/index.js';
import { CountingStore, unwatched } from '../../support/counting-store.js';
import { openManager } from '../../support/open-manager.js';
import { nextTurn } from '../../support/warnings.js';

describe('what was written', () => {
  it('a first use, to a store that announces nothing -> the old key ends, though it was known to go on', async () => {
    const store = unwatched(new CountingStore());
    const { keys, clock, codeOf } = openManager({
      store,
      cacheTtlMs: 3_600_000,
      staleIfErrorMs: 3_600_000,
    });
    const old = await keys.create({ user: 'alice' });
    const { key } = await keys.rotate(old.record.keyId, {
      overlapMs: 5_000,
      startsAt: 'first-use',
    });
    expect(await codeOf(old.key)).toBe('admitted');
    await codeOf(key);
    await vi.waitFor(async () =>
      expect((await keys.get(old.record.keyId))?.expiresAt).toBeDefined(),
    );
    await nextTurn();
    clock.move(5_000);
    expect(await codeOf(old.key)).toBe('expired_api_key');
  });

  it('any other use -> what is known of its key is kept', async () => {
    const { store, keys, codeOf } = openManager({ lastUsedIntervalMs: 1 });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    await vi.waitFor(() => expect(store.touches).toHaveLength(1));
    await nextTurn();
    await codeOf(key);
    expect(store.lookups).toBe(1);
  });
});

describe('what waits to be written', () => {
  it('a first use whose write fails at first -> the old key ends counted from it, not from a later use', async () => {
    const { store, keys, clock, codeOf } = openManager({ lastUsedIntervalMs: 20 });
    const { record } = await keys.create({ user: 'alice' });
    const { key } = await keys.rotate(record.keyId, { overlapMs: 5_000, startsAt: 'first-use' });
    store.before = () => (store.touches.length > 0 ? Promise.reject(new Error('down')) : undefined);
    await codeOf(key);
    await vi.waitFor(() => expect(store.touches).toHaveLength(1));
    clock.move(1_000);
    await codeOf(key);
    store.before = () => {};
    await vi.waitFor(async () =>
      expect((await keys.get(record.keyId))?.expiresAt).toEqual(clock.at(4_000)),
    );
  });

  it('more keys than fit while the store fails -> one write an interval, and requests go on', async () => {
    const { store, keys, codeOf } = openManager({ lastUsedIntervalMs: 3_600_000 });
    const { record, key } = await keys.create({ user: 'alice' });
    let ids = 0;
    store.alter = (stored) => ({ ...stored!, keyId: `key_${ids++}` });
    const found = await store.inner.findByDigest(digestApiKey(key));
    store.findByDigest = async (digest) => ({
      ...found!,
      digest,
      keyId: `${record.keyId}${ids++}`,
    });
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
    const { store, keys, codeOf } = openManager({ lastUsedIntervalMs: 3_600_000 });
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
    const { store, keys, codeOf } = openManager({ lastUsedIntervalMs: 1 });
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
    const { store, keys, codeOf } = openManager();
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
    const { store, keys, codeOf } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = () => new Promise(() => {});
    const closed = keys.close();
    await vi.advanceTimersByTimeAsync(5_000);
    await closed;
  });
});

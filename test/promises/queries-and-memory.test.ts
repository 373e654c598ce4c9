import { describe, expect, it } from 'vitest';
import { ApiKeyManager, generateApiKey } from '../../src/index.js';
import { CountingStore, unwatched } from '../support/counting-store.js';
import { openManager } from '../support/open-manager.js';

describe('queries to the store', () => {
  it('a request with a cached key -> no query', async () => {
    const { keys, store } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    for (let i = 0; i < 50; i++) await keys.verify(key);
    expect(store.lookups).toBe(1);
  });

  it('many requests at once with one cold key -> one query', async () => {
    const { keys, store, codeOf } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    const codes = await Promise.all(Array.from({ length: 100 }, () => codeOf(key)));
    expect(new Set(codes)).toEqual(new Set(['admitted']));
    expect(store.lookups).toBe(1);
  });

  it('a key whose form or checksum is wrong -> no query', async () => {
    const { keys, store, codeOf } = openManager();
    const { key } = await keys.create({ user: 'alice' });
    for (const bad of [
      'x',
      key.slice(1),
      `${key}x`,
      `${key.slice(0, -1)}!`,
      '',
      ' ',
      'ü',
      'x'.repeat(600),
    ]) {
      expect(await codeOf(bad)).toBe('invalid_api_key');
    }
    expect(await codeOf(undefined as never)).toBe('invalid_api_key');
    expect(store.lookups).toBe(0);
  });

  it('a key of another form, with legacyKeys -> one query, and admitted', async () => {
    const { keys, store, codeOf } = openManager({ legacyKeys: true });
    await keys.import({ user: 'alice', key: 'old-key-from-before' });
    expect(await codeOf('old-key-from-before')).toBe('admitted');
    expect(await codeOf('old-key-from-elsewhere')).toBe('invalid_api_key');
    expect(store.lookups).toBe(2);
    const strict = new ApiKeyManager({ store });
    expect(await strict.verify('old-key-from-before')).toEqual({
      ok: false,
      code: 'invalid_api_key',
    });
  });

  it('a store that announces nothing -> one more query after cacheTtlMs', async () => {
    const { keys, clock, store, codeOf } = openManager({
      store: unwatched(new CountingStore()),
      cacheTtlMs: 1_000,
    });
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    await store.inner.revoke(record.keyId, new Date(clock.ms), { family: false });
    clock.move(999);
    expect(await codeOf(key)).toBe('admitted');
    clock.move(1);
    expect(await codeOf(key)).toBe('revoked_api_key');
    expect(store.lookups).toBe(2);
  });

  it('a watch that was broken and mended -> one more query, since changes may have been missed', async () => {
    const { keys, store, codeOf, clock } = openManager();
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

describe('memory: at most maxCachedKeys entries each of known and unknown keys', () => {
  it('ten thousand unknown keys -> the known ones stay warm', async () => {
    const { keys, store, codeOf } = openManager({ maxCachedKeys: 100 });
    const created = await Promise.all(
      Array.from({ length: 100 }, () => keys.create({ user: 'alice' })),
    );
    for (const { key } of created) await codeOf(key);
    for (let i = 0; i < 10_000; i++) await codeOf(generateApiKey().key);
    const before = store.lookups;
    for (const { key } of created) expect(await codeOf(key)).toBe('admitted');
    expect(store.lookups).toBe(before);
  });

  it('more known keys than fit -> the last one found is kept, another is asked for again', async () => {
    const { keys, store, codeOf } = openManager({ maxCachedKeys: 2 });
    const created = await Promise.all(
      Array.from({ length: 3 }, () => keys.create({ user: 'alice' })),
    );
    for (const { key } of created) await codeOf(key);
    expect(store.lookups).toBe(3);
    await codeOf(created[2]!.key);
    expect(store.lookups).toBe(3);
    // Which of the others had to go depends on where their digests fell.
    await codeOf(created[0]!.key);
    await codeOf(created[1]!.key);
    expect(store.lookups).toBeGreaterThan(3);
  });
});

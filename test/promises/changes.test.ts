import { describe, expect, it, vi } from 'vitest';
import { digestApiKey, generateApiKey } from '../../src/index.js';
import { openManager } from '../support/open-manager.js';

describe('revoke, rotate, update, expire seen in the same process: next request', () => {
  it('a warm key that is revoked -> refused by the next look-up', async () => {
    const { keys, codeOf } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    expect(await codeOf(key)).toBe('admitted');
    await keys.revoke(record.keyId);
    expect(await codeOf(key)).toBe('revoked_api_key');
  });

  it('a warm key that is updated -> its new scopes, name and expiry by the next look-up', async () => {
    const { keys, clock } = openManager();
    const { key, record } = await keys.create({ user: 'alice', scopes: ['a'], name: 'laptop' });
    await keys.verify(key);
    await keys.update(record.keyId, { scopes: ['b'], name: null, expiresAt: clock.at(5_000) });
    const result = await keys.verify(key);
    expect(result).toMatchObject({
      ok: true,
      apiKey: { scopes: ['b'], expiresAt: clock.at(5_000) },
    });
    expect(result.ok && 'name' in result.apiKey).toBe(false);
  });

  it('a warm key that is rotated without overlap -> expired for it, admitted for its successor', async () => {
    const { keys, codeOf } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.verify(key);
    const successor = await keys.rotate(record.keyId, { overlapMs: 0 });
    expect(await codeOf(key)).toBe('expired_api_key');
    expect(await codeOf(successor.key)).toBe('admitted');
  });

  it('a key that was asked for before it was imported -> known by the next look-up', async () => {
    const { keys, codeOf, store } = openManager();
    const { key } = generateApiKey();
    expect(await codeOf(key)).toBe('invalid_api_key');
    expect(await codeOf(key)).toBe('invalid_api_key');
    expect(store.lookups).toBe(1);
    await keys.import({ user: 'alice', key });
    expect(await codeOf(key)).toBe('admitted');
  });

  it('a look-up that was under way while the key was revoked -> not kept', async () => {
    const { keys, codeOf, store } = openManager();
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
    const { keys, clock, codeOf, store } = openManager();
    const { key } = await keys.create({ user: 'alice', expiresAt: clock.at(1_000) });
    expect(await codeOf(key)).toBe('admitted');
    clock.move(999);
    expect(await codeOf(key)).toBe('admitted');
    clock.move(1);
    expect(await codeOf(key)).toBe('expired_api_key');
    expect(store.lookups).toBe(1);
  });

  it('a handler that would move the date in its identity -> a TypeError, and the key expires all the same', async () => {
    const { keys, clock, codeOf } = openManager();
    const { key } = await keys.create({ user: 'alice', expiresAt: clock.at(1_000) });
    const result = await keys.verify(key);
    expect(() => result.ok && result.apiKey.expiresAt!.setFullYear(2999)).toThrow(TypeError);
    clock.move(1_000);
    expect(await codeOf(key)).toBe('expired_api_key');
  });
});

import { describe, expect, it } from 'vitest';
import { ApiKeyManager, MemoryKeyStore } from '../../src/index.js';
import { openManager } from '../support/open-manager.js';

const open = () => openManager({ store: new MemoryKeyStore() });

describe('end of a pause: exact, also on a cached key', () => {
  it('one millisecond before -> paused; at the instant -> admitted, without a query', async () => {
    const { keys, store, clock, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.pause(record.keyId, { until: clock.at(1_000) });
    expect(await codeOf(key)).toBe('paused_api_key');
    store.findByDigest = () => Promise.reject(new Error('not to be asked'));
    clock.move(999);
    expect(await codeOf(key)).toBe('paused_api_key');
    clock.move(1);
    expect(await codeOf(key)).toBe('admitted');
  });

  it('a date that is changed after the call -> the pause ends when it was said', async () => {
    const { keys, clock, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    const until = clock.at(1_000);
    await keys.pause(record.keyId, { until });
    until.setTime(0);
    expect(await codeOf(key)).toBe('paused_api_key');
  });
});

describe('pause, resume, revokeAll, hand-over: next request', () => {
  it('a warm key -> refused, admitted and somebody else by the next look-up, in every manager of the store', async () => {
    const { keys, store, clock } = open();
    const other = new ApiKeyManager({ store, now: clock.now });
    const { key, record } = await keys.create({ user: 'alice' });
    const both = async () =>
      Promise.all(
        [keys, other].map(async (each) => {
          const result = await each.verify(key);
          return result.ok ? result.apiKey.user : result.code;
        }),
      );
    expect(await both()).toEqual(['alice', 'alice']);
    await keys.pause(record.keyId);
    expect(await both()).toEqual(['paused_api_key', 'paused_api_key']);
    await other.resume(record.keyId);
    expect(await both()).toEqual(['alice', 'alice']);
    await keys.update(record.keyId, { user: 'bob' });
    expect(await both()).toEqual(['bob', 'bob']);
    await other.revokeAll({ user: 'bob' });
    expect(await both()).toEqual(['revoked_api_key', 'revoked_api_key']);
    await other.close();
  });
});

describe('each change leaves its event: exactly one', () => {
  it('any number of the same change at once -> one event', async () => {
    const { keys } = open();
    const { record } = await keys.create({ user: 'alice' });
    const times = Array.from({ length: 20 });
    await Promise.all(times.map(() => keys.update(record.keyId, { name: 'laptop' })));
    await Promise.all(times.map(() => keys.pause(record.keyId)));
    await Promise.all(times.map(() => keys.resume(record.keyId)));
    await Promise.allSettled(times.map(() => keys.rotate(record.keyId)));
    await Promise.all(times.map(() => keys.revokeAll({ user: 'alice' })));
    const events = await keys.history({ keyId: record.keyId });
    const what = ['created', 'updated', 'paused', 'resumed', 'rotated', 'revoked'];
    expect(events.map((event) => event.what).toReversed()).toEqual(what);
  });

  it('uses, and changes that are refused -> none', async () => {
    const { keys, clock, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    await keys.pause(record.keyId, { until: clock.at(-1) }).catch(() => {});
    await keys.rotate('key_0000000000').catch(() => {});
    await keys.close();
    expect(await keys.history()).toHaveLength(1);
  });
});

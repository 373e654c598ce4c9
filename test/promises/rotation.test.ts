import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openManager } from '../support/open-manager.js';

describe('rotation', () => {
  it.each([0, 1, 5_000])(
    'with an overlap of %d ms -> the old key works until one millisecond before the deadline',
    async (overlapMs) => {
      const { keys, clock, codeOf } = openManager();
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
    const { keys, clock, codeOf } = openManager();
    const { key, record } = await keys.create({ user: 'alice', expiresAt: clock.at(2_000) });
    const rotated = await keys.rotate(record.keyId, { overlapMs: 86_400_000 });
    expect(rotated.previous.expiresAt).toEqual(clock.at(2_000));
    expect(rotated.record.expiresAt).toEqual(clock.at(2_000));
    clock.move(2_000);
    expect([await codeOf(key), await codeOf(rotated.key)]).toEqual([
      'expired_api_key',
      'expired_api_key',
    ]);
  });

  it('from first use on -> the old key works until the overlap after it, to the millisecond', async () => {
    const { keys, clock, codeOf } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    const { key: next } = await keys.rotate(record.keyId, {
      overlapMs: 5_000,
      startsAt: 'first-use',
    });
    clock.move(30 * 86_400_000);
    expect(await codeOf(key)).toBe('admitted');
    expect(await codeOf(next)).toBe('admitted');
    await vi.waitFor(async () =>
      expect((await keys.get(record.keyId))?.expiresAt).toEqual(clock.at(5_000)),
    );
    clock.move(4_999);
    expect([await codeOf(key), await codeOf(next)]).toEqual(['admitted', 'admitted']);
    clock.move(1);
    expect([await codeOf(key), await codeOf(next)]).toEqual(['expired_api_key', 'admitted']);
  });

  it('a successor that is replaced before its first use -> the first key ends all the same', async () => {
    const { keys, clock, codeOf } = openManager();
    const first = await keys.create({ user: 'alice' });
    const second = await keys.rotate(first.record.keyId, {
      overlapMs: 5_000,
      startsAt: 'first-use',
    });
    expect(await codeOf(first.key)).toBe('admitted');
    await keys.rotate(second.record.keyId, { overlapMs: 60_000, startsAt: 'first-use' });
    clock.move(4_999);
    expect(await codeOf(first.key)).toBe('admitted');
    clock.move(1);
    expect(await codeOf(first.key)).toBe('expired_api_key');
  });

  it('a store that fails right after such a rotation -> the new key is there, and the first key ends all the same', async () => {
    const { store, keys, clock, codeOf } = openManager();
    const first = await keys.create({ user: 'alice' });
    const second = await keys.rotate(first.record.keyId, {
      overlapMs: 5_000,
      startsAt: 'first-use',
    });
    expect(await codeOf(first.key)).toBe('admitted');
    store.get = store.update = () => Promise.reject(new Error('connection lost'));
    const third = await keys.rotate(second.record.keyId);
    expect(await codeOf(third.key)).toBe('admitted');
    clock.move(5_000);
    expect(await codeOf(first.key)).toBe('expired_api_key');
  });

  it('a store whose update does not look for a successor -> the end of a rotated key is not put off all the same', async () => {
    const { store, keys, clock } = openManager();
    const { record } = await keys.create({ user: 'alice' });
    await keys.rotate(record.keyId, { overlapMs: 5_000 });
    const written: unknown[] = [];
    store.update = async (keyId, changes) => {
      written.push(changes);
      return (await store.get(keyId))!;
    };
    for (const expiresAt of [null, clock.at(5_001)]) {
      await expect(keys.update(record.keyId, { expiresAt })).rejects.toMatchObject({
        code: 'already_rotated',
      });
    }
    expect(written).toEqual([]);
  });

  it('several rotations of one key at once -> exactly one successor', async () => {
    const { keys } = openManager();
    const { record } = await keys.create({ user: 'alice' });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => keys.rotate(record.keyId)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await keys.list({ user: 'alice' })).toHaveLength(2);
  });

  it('a rotated key used after its deadline -> refused, and reported as reuse', async () => {
    const reported: unknown[] = [];
    const listener = (message: unknown) => void reported.push(message);
    subscribe('require-api-key:reuse', listener);
    onTestFinished(() => void unsubscribe('require-api-key:reuse', listener));
    const { keys, clock, codeOf } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.rotate(record.keyId, { overlapMs: 1_000 });
    expect(await codeOf(key)).toBe('admitted');
    expect(reported).toEqual([]);
    clock.move(1_000);
    expect(await codeOf(key)).toBe('expired_api_key');
    expect(reported).toEqual([
      { keyId: record.keyId, user: 'alice', source: 'managed', code: 'expired_api_key' },
    ]);
    await keys.revoke(record.keyId);
    expect(await codeOf(key)).toBe('revoked_api_key');
    expect(reported).toHaveLength(2);
    expect(reported[1]).toMatchObject({ keyId: record.keyId, code: 'revoked_api_key' });
  });
});

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryKeyStore, requireApiKey } from '../../src/index.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { openManager } from '../support/open-manager.js';

const open = () => openManager({ store: new MemoryKeyStore() });
const { express } = expressVersions[0]!;

describe('pause and resume', () => {
  it('a paused key -> 403 paused_api_key, without a challenge; resumed, it works', async () => {
    const { keys } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    const app = await guardedApp(express, { guard: requireApiKey({ source: keys }) });
    await keys.pause(record.keyId);
    expectRefused(await app.get({ 'X-API-Key': key }), { status: 403, code: 'paused_api_key' });
    await keys.resume(record.keyId);
    expect((await app.get({ 'X-API-Key': key })).status).toBe(200);
  });

  it('a stranger -> cannot tell a paused key from none', async () => {
    const { keys } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.pause(record.keyId);
    const other = key.slice(0, -6) + 'AAAAAA';
    expect(await keys.verify(other)).toMatchObject({ code: 'invalid_api_key' });
  });

  it('a pause that is set anew -> its new end counts; without one it lasts', async () => {
    const { keys, clock, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    const first = await keys.pause(record.keyId, { until: clock.at(1_000) });
    expect(first).toMatchObject({ pausedAt: clock.at(0), pausedUntil: clock.at(1_000) });
    clock.move(500);
    const again = await keys.pause(record.keyId);
    expect(again.pausedAt).toEqual(clock.at(-500));
    expect(again.pausedUntil).toBeUndefined();
    clock.move(100_000);
    expect(await codeOf(key)).toBe('paused_api_key');
  });

  it('status -> paused, and neither active nor expiring', async () => {
    const { keys, clock } = open();
    const { record } = await keys.create({ user: 'alice', expiresAt: clock.at(1_000) });
    await keys.pause(record.keyId);
    expect(await keys.list({ status: 'paused' })).toHaveLength(1);
    for (const status of ['active', 'expiring'] as const)
      expect(await keys.list({ status })).toEqual([]);
  });

  it('a revoked or expired key -> key_not_usable; an unknown one -> unknown_key_id', async () => {
    const { keys, clock } = open();
    const revoked = await keys.create({ user: 'alice' });
    await keys.revoke(revoked.record.keyId);
    const expired = await keys.create({ user: 'alice', expiresAt: clock.at(0) });
    for (const { record } of [revoked, expired])
      for (const act of [() => keys.pause(record.keyId), () => keys.resume(record.keyId)])
        await expect(act()).rejects.toMatchObject({ code: 'key_not_usable' });
    await expect(keys.pause('key_0000000000')).rejects.toMatchObject({ code: 'unknown_key_id' });
    await expect(keys.resume('key_0000000000')).rejects.toMatchObject({ code: 'unknown_key_id' });
  });

  it('an end that is past or now -> a RangeError, and no pause', async () => {
    const { keys, clock } = open();
    const { record } = await keys.create({ user: 'alice' });
    for (const until of [clock.at(0), clock.at(-1)])
      await expect(keys.pause(record.keyId, { until })).rejects.toBeInstanceOf(RangeError);
    const text = keys.pause(record.keyId, { until: '2031-01-01' as never });
    await expect(text).rejects.toMatchObject({ name: 'TypeError', option: 'until' });
    expect(await keys.get(record.keyId)).toEqual(record);
  });

  it('a paused key whose rotation is over -> reported as reuse only once it has expired', async () => {
    const seen: unknown[] = [];
    const keep = (message: unknown) => void seen.push(message);
    subscribe('require-api-key:reuse', keep);
    onTestFinished(() => void unsubscribe('require-api-key:reuse', keep));
    const { keys, clock, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    const successor = await keys.rotate(record.keyId, { overlapMs: 1_000 });
    await keys.pause(record.keyId);
    expect([await codeOf(key), await codeOf(successor.key)]).toEqual([
      'paused_api_key',
      'admitted',
    ]);
    expect(seen).toEqual([]);
    clock.move(1_000);
    expect(await codeOf(key)).toBe('expired_api_key');
    expect(seen).toMatchObject([{ code: 'expired_api_key' }]);
  });
});

describe('revokeAll', () => {
  it('a user with keys and links -> all revoked from the next request on, and told', async () => {
    const { keys, codeOf } = open();
    const [one, two, other] = [
      await keys.create({ user: 'alice' }),
      await keys.create({ user: 'alice' }),
      await keys.create({ user: 'bob' }),
    ];
    const { token, claim } = await keys.createClaim({ user: 'alice' });
    for (const { key } of [one, two, other]) expect(await codeOf(key)).toBe('admitted');
    const revoked = await keys.revokeAll({ user: 'alice' });
    const ids = revoked.keys.map(({ keyId }) => keyId);
    expect(new Set(ids)).toEqual(new Set([one.record.keyId, two.record.keyId]));
    expect(revoked.claims.map(({ claimId }) => claimId)).toEqual([claim.claimId]);
    for (const { key } of [one, two]) expect(await codeOf(key)).toBe('revoked_api_key');
    expect(await codeOf(other.key)).toBe('admitted');
    await expect(keys.claim(token)).rejects.toMatchObject({ code: 'claim_not_usable' });
    expect(await keys.revokeAll({ user: 'alice' })).toEqual({ keys: [], claims: [] });
  });

  it.each([{}, { user: '' }, { user: 7 }, { user: null }, { keyId: 'x' }, undefined])(
    'with %j -> an ArgumentError',
    async (options) => {
      const refused = open().keys.revokeAll(options as never);
      await expect(refused).rejects.toMatchObject({ name: 'TypeError', caller: 'revokeAll' });
    },
  );
});

describe('a key that is handed to another user', () => {
  it('the same key -> is the other user from the next request on', async () => {
    const { keys } = open();
    const { key, record } = await keys.create({ user: 'alice', scopes: ['a'] });
    await keys.verify(key);
    expect(await keys.update(record.keyId, { user: 'bob' })).toMatchObject({ user: 'bob' });
    expect(await keys.verify(key)).toMatchObject({ apiKey: { user: 'bob', scopes: ['a'] } });
  });
});

describe('list and takeNotices', () => {
  const day = 24 * 3_600_000;

  it('keys unused for so long, and keys that end so soon -> found by the clock of the manager', async () => {
    const { keys, clock } = open();
    const idle = await keys.create({ user: 'alice' });
    clock.move(10 * day);
    const ending = await keys.create({ user: 'bob', expiresAt: clock.at(2 * day) });
    const idsOf = async (options: object) => (await keys.list(options)).map(({ keyId }) => keyId);
    expect(await idsOf({ unusedForMs: 10 * day })).toEqual([idle.record.keyId]);
    expect(await idsOf({ unusedForMs: 10 * day + 1 })).toEqual([]);
    expect(await idsOf({ expiringWithinMs: 2 * day })).toEqual([ending.record.keyId]);
    expect(await idsOf({ expiringWithinMs: 2 * day - 1 })).toEqual([]);
    await keys.pause(idle.record.keyId);
    expect(await idsOf({ unusedForMs: 1 })).toEqual([]);
    await expect(keys.list({ unusedForMs: -1 })).rejects.toBeInstanceOf(RangeError);
  });

  it('notices -> once for each threshold, however many ask', async () => {
    const { keys, clock } = open();
    const { record } = await keys.create({ user: 'alice', expiresAt: clock.at(20 * day) });
    const ask = () => keys.takeNotices({ beforeMs: [14 * day, 3 * day, 3 * day] });
    expect(await ask()).toEqual([]);
    clock.move(6 * day);
    const told = (await Promise.all([ask(), ask(), ask()])).flat();
    expect(told).toEqual([{ record, beforeMs: 14 * day, expiresAt: clock.at(14 * day) }]);
    clock.move(12 * day);
    expect(await ask()).toMatchObject([{ beforeMs: 3 * day }]);
  });

  it.each([{}, { beforeMs: [] }, { beforeMs: [0] }, { beforeMs: [1.5] }, { beforeMs: 5 }])(
    'notices with %j -> an ArgumentError',
    async (options) => {
      const refused = open().keys.takeNotices(options as never);
      await expect(refused).rejects.toMatchObject({ name: 'TypeError', option: 'beforeMs' });
    },
  );
});

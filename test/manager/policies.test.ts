import { describe, expect, it, vi } from 'vitest';
import {
  ApiKeyManager,
  MemoryKeyStore,
  generateApiKey,
  type KeyStore,
  type StoredKey,
} from '../../src/index.js';
import { withOrigin } from '../../src/manager/change-options.js';
import { CountingStore } from '../support/counting-store.js';
import { openManager } from '../support/open-manager.js';

const hour = 3_600_000;
const open = (options: object = {}) => openManager({ store: new MemoryKeyStore(), ...options });
const tooMany = { name: 'KeyStoreError', code: 'too_many_keys' };
const tooLong = { name: 'KeyStoreError', code: 'lifetime_too_long' };

/** How many of the calls succeeded; the others must have been refused with `too_many_keys`. */
async function successes(calls: readonly Promise<unknown>[]): Promise<number> {
  const outcomes = await Promise.allSettled(calls);
  for (const each of outcomes)
    if (each.status === 'rejected') expect(each.reason).toMatchObject(tooMany);
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

describe('maxKeysPerUser', () => {
  it('create, import, claim and hand-over at once -> no more than the limit', async () => {
    const { keys, store } = open({ maxKeysPerUser: 3 });
    const free = new ApiKeyManager({ store });
    const others = await Promise.all([1, 2, 3].map(() => free.create({ user: 'bob' })));
    const links = await Promise.all([1, 2, 3].map(() => keys.createClaim({ user: 'alice' })));
    const succeeded = await successes([
      ...links.map(({ token }) => keys.claim(token)),
      ...[1, 2, 3].map(() => keys.create({ user: 'alice' })),
      ...[1, 2, 3].map(() => keys.import({ user: 'alice', key: generateApiKey().key })),
      ...others.map(({ record }) => keys.update(record.keyId, { user: 'alice' })),
    ]);
    expect(succeeded).toBe(3);
    expect(await keys.list({ user: 'alice' })).toHaveLength(3);
  });

  it('a claim past the limit -> too_many_keys, and the link works once there is room', async () => {
    const { keys } = open({ maxKeysPerUser: 1 });
    const { record } = await keys.create({ user: 'alice' });
    const { token } = await keys.createClaim({ user: 'alice' });
    await expect(keys.claim(token)).rejects.toMatchObject(tooMany);
    await keys.revoke(record.keyId);
    expect((await keys.claim(token)).record.user).toBe('alice');
  });

  it('rotations -> are not counted, and a paused key is', async () => {
    const { keys } = open({ maxKeysPerUser: 1 });
    const { record } = await keys.create({ user: 'alice' });
    const second = await keys.rotate(record.keyId);
    const third = await keys.rotate(second.record.keyId);
    await keys.pause(third.record.keyId);
    await expect(keys.create({ user: 'alice' })).rejects.toMatchObject(tooMany);
  });

  it('a page of ours with a stricter limit -> that holds; with a looser one, not', async () => {
    const { keys } = open({ maxKeysPerUser: 2 });
    const create = (maxKeysPerUser: number) =>
      keys.create(withOrigin({ user: 'alice' }, { via: 'account', maxKeysPerUser }));
    await create(1);
    await expect(create(1)).rejects.toMatchObject(tooMany);
    await create(100);
    await expect(create(100)).rejects.toMatchObject(tooMany);
  });

  it('a store from before there were limits -> counted for, a rotated key once', async () => {
    const store = new CountingStore();
    store.insert = (key) => store.inner.insert(key);
    const { keys, clock } = openManager({ store, maxKeysPerUser: 2 });
    const { record } = await keys.create({ user: 'alice', expiresAt: clock.at(hour) });
    await keys.create({ user: 'bob' });
    await keys.rotate(record.keyId);
    await keys.create({ user: 'alice' });
    await expect(keys.create({ user: 'alice' })).rejects.toMatchObject(tooMany);
    clock.move(hour);
    await keys.create({ user: 'alice' });
    await expect(keys.create({ user: 'alice' })).rejects.toMatchObject(tooMany);
  });

  it('such a store, and no limit -> nothing is counted', async () => {
    const store = new CountingStore();
    const list = vi.spyOn(store, 'list');
    const { keys } = openManager({ store });
    await keys.create({ user: 'alice' });
    expect(list).not.toHaveBeenCalled();
  });
});

describe('defaultLifetimeMs and maxLifetimeMs', () => {
  it('a key without an end -> the default one, counted from the call; with one, its own', async () => {
    const { keys, clock } = open({ defaultLifetimeMs: hour });
    const { record } = await keys.create({ user: 'alice' });
    expect(record.expiresAt).toEqual(clock.at(hour));
    const later = await keys.create({ user: 'alice', expiresAt: clock.at(5 * hour) });
    expect(later.record.expiresAt).toEqual(clock.at(5 * hour));
    const { expiresAt } = await keys.import({ user: 'alice', key: generateApiKey().key });
    expect(expiresAt).toEqual(clock.at(hour));
  });

  it('a claim link without an end for its key -> the default one, counted from the claim', async () => {
    const { keys, clock } = open({ defaultLifetimeMs: hour, maxLifetimeMs: 2 * hour });
    const { token, claim } = await keys.createClaim({ user: 'alice' });
    expect(claim.keyExpiresAt).toBeUndefined();
    clock.move(10 * hour);
    expect((await keys.claim(token)).record.expiresAt).toEqual(clock.at(hour));
  });

  it('an end past the limit, or none -> lifetime_too_long, and nothing is made', async () => {
    const { keys, clock } = open({ maxLifetimeMs: hour });
    const { key } = generateApiKey();
    for (const expiresAt of [undefined, clock.at(hour + 1)]) {
      await expect(keys.create({ user: 'a', expiresAt })).rejects.toMatchObject(tooLong);
      await expect(keys.import({ user: 'a', key, expiresAt })).rejects.toMatchObject(tooLong);
      await expect(keys.createClaim({ user: 'a', expiresAt })).rejects.toMatchObject(tooLong);
    }
    expect([await keys.list(), await keys.listClaims(), await keys.history()]).toEqual([
      [],
      [],
      [],
    ]);
    await keys.create({ user: 'a', expiresAt: clock.at(hour) });
  });

  it('an update that names a later end, or none -> lifetime_too_long; any other is left alone', async () => {
    const { store, clock, keys: free } = open();
    const { record } = await free.create({ user: 'alice' });
    const keys = new ApiKeyManager({ store, now: clock.now, maxLifetimeMs: hour });
    for (const expiresAt of [null, clock.at(hour + 1)])
      await expect(keys.update(record.keyId, { expiresAt })).rejects.toMatchObject(tooLong);
    expect(await keys.update(record.keyId, { name: 'x' })).toMatchObject({ name: 'x' });
    expect((await keys.rotate(record.keyId)).record.expiresAt).toBeUndefined();
    await keys.update(record.keyId, { expiresAt: clock.at(hour) });
  });

  it.each([
    ['a default past the limit', { defaultLifetimeMs: 2, maxLifetimeMs: 1 }, 'defaultLifetimeMs'],
    ['no keys at all', { maxKeysPerUser: 0 }, 'maxKeysPerUser'],
    ['half a key', { maxKeysPerUser: 1.5 }, 'maxKeysPerUser'],
    ['no lifetime', { defaultLifetimeMs: 0 }, 'defaultLifetimeMs'],
    ['an endless lifetime', { maxLifetimeMs: Number.POSITIVE_INFINITY }, 'maxLifetimeMs'],
  ])('%s -> a RangeError that names the option', (_what, options, name) => {
    const make = () => new ApiKeyManager({ store: new MemoryKeyStore(), ...options });
    expect(make).toThrow(RangeError);
    expect(make).toThrow(`"${name}"`);
  });
});

describe('a rotation that may pass on fewer scopes', () => {
  it.each<[string, () => KeyStore]>([
    ['a store that knows of it', () => new MemoryKeyStore()],
    ['a store that does not', () => new ForgetfulStore()],
  ])('%s -> the successor has no other scope', async (_what, makeStore) => {
    const { keys } = openManager({ store: makeStore() });
    const { record } = await keys.create({ user: 'alice', scopes: ['a', 'b'] });
    const origin = { via: 'account', onlyScopes: ['b', 'c'] } as const;
    const rotated = await keys.rotate(record.keyId, withOrigin({}, origin));
    expect(rotated.record.scopes).toEqual(['b']);
    expect(await keys.verify(rotated.key)).toMatchObject({ apiKey: { scopes: ['b'] } });
  });
});

/** A store that passes over what it does not know. */
class ForgetfulStore extends MemoryKeyStore {
  override rotate(...[keyId, given, overlap]: Parameters<MemoryKeyStore['rotate']>) {
    const { onlyScopes: _onlyScopes, ...successor } = given;
    return super.rotate(keyId, successor, overlap);
  }

  override insert({ allowedAddresses: _addresses, ...key }: StoredKey) {
    return super.insert(key);
  }
}

describe('a store that lacks a part', () => {
  it('pause, resume, revokeAll, history, usage, takeNotices -> not_supported', async () => {
    const { keys } = openManager();
    const { record } = await keys.create({ user: 'alice' });
    for (const call of [
      () => keys.pause(record.keyId),
      () => keys.resume(record.keyId),
      () => keys.revokeAll({ user: 'alice' }),
      () => keys.history(),
      () => keys.usage(),
      () => keys.takeNotices({ beforeMs: [1] }),
      () => keys.prune({ olderThanMs: 0, eventsOlderThanMs: 0 }),
    ])
      await expect(call()).rejects.toMatchObject({ name: 'KeyStoreError', code: 'not_supported' });
  });

  it('allowed addresses that it does not keep -> not_supported, and the key is revoked', async () => {
    const { keys } = openManager({ store: new ForgetfulStore() });
    const refused = keys.create({ user: 'alice', allowedAddresses: ['203.0.113.7'] });
    await expect(refused).rejects.toMatchObject({ code: 'not_supported' });
    expect(await keys.list({ status: 'active' })).toEqual([]);
  });

  it('countUses for a store without counts -> not_supported', () => {
    const make = (countUses: boolean) => openManager({ countUses });
    expect(() => make(true)).toThrow(expect.objectContaining({ code: 'not_supported' }));
    expect(() => make(false)).not.toThrow();
  });
});

import assert from 'node:assert/strict';
import { generateApiKey } from '../keys/key-format.js';
import type { KeyStore } from '../stores/key-store.js';
import { makeClaim } from './claim-store-contract.js';
import type { StoreCases } from './contract-case.js';
import { at, idsOf, makeKey, rejectsWith, successorOf } from './stored-key.js';

const now = at(1_000);
const limitOf = (maxKeysPerUser: number) => ({ limit: { maxKeysPerUser, now } });
const countOf = async (store: KeyStore, user = 'alice') =>
  (await store.list({ user, limit: 100, now })).length;

/** How many of the attempts succeeded. The others must have failed because of the limit. */
async function successes(attempts: readonly Promise<unknown>[]): Promise<number> {
  const outcomes = await Promise.allSettled(attempts);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected')
      await rejectsWith('too_many_keys', Promise.reject(outcome.reason as Error));
  }
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

export const limitContract: StoreCases = {
  'twenty keys at once for a user who may have three -> three, and other users are not concerned':
    async (store) => {
      const attempts = Array.from({ length: 20 }, () => store.insert(makeKey(), limitOf(3)));
      assert.equal(await successes([...attempts]), 3);
      assert.equal(await countOf(store), 3);
      await store.insert(makeKey({ user: 'bob' }), limitOf(1));
    },

  'keys that are revoked, expired or replaced -> not counted, and a rotation neither': async (
    store,
  ) => {
    const [rotated, ...dead] = [
      makeKey(),
      makeKey({ revokedAt: at(1) }),
      makeKey({ expiresAt: now }),
    ];
    for (const key of [rotated, ...dead]) await store.insert(key);
    const overlap = { overlapMs: 90_000, startsAt: 'now' } as const;
    await store.rotate(rotated.keyId, successorOf(at(500)), overlap, limitOf(1));
    await rejectsWith('too_many_keys', store.insert(makeKey(), limitOf(1)));
    await store.insert(makeKey(), limitOf(2));
  },

  'keys that are handed to another user -> no more than the limit; an update of their own user is free':
    async (store) => {
      const keys = Array.from({ length: 6 }, () => makeKey());
      for (const key of keys) await store.insert(key);
      const attempts = keys.map(({ keyId }) => store.update(keyId, { user: 'bob' }, limitOf(2)));
      assert.equal(await successes(attempts), 2);
      assert.equal(await countOf(store, 'bob'), 2);
      const [own] = await store.list({ user: 'bob', limit: 1, now });
      await store.update(own!.keyId, { user: 'bob', name: 'x' }, limitOf(1));
    },

  'claims past the limit -> refused, and their links stay open': async (store) => {
    if (!store.claims) return;
    const links = Array.from({ length: 5 }, () => makeClaim());
    for (const link of links) await store.claims.insert(link);
    const take = async ({ tokenDigest }: { tokenDigest: string }, maxKeysPerUser: number) => {
      const { keyId, digest } = generateApiKey();
      return store.claims!.take(tokenDigest, { keyId, digest, createdAt: now, maxKeysPerUser });
    };
    assert.equal(await successes(links.map((link) => take(link, 2))), 2);
    assert.equal(await countOf(store), 2);
    const open = await store.claims.list({ status: 'open', limit: 10, now });
    assert.equal(open.length, 3);
    const link = links.find(({ claimId }) => claimId === open[0]!.claimId)!;
    assert.equal((await take(link, 3)).outcome, 'claimed');
  },

  'a rotation that passes on fewer scopes -> those of the old key that are still allowed': async (
    store,
  ) => {
    const key = makeKey({ scopes: ['a', 'b'] });
    await store.insert(key);
    const successor = { ...successorOf(now), onlyScopes: ['b', 'c'] };
    const { record } = await store.rotate(key.keyId, successor, { overlapMs: 0, startsAt: 'now' });
    assert.deepEqual(record.scopes, ['b']);
    assert.deepEqual((await store.findByDigest(successor.digest))?.scopes, ['b']);
  },

  'a claim link without an end for its key -> the default end; one with an end keeps it': async (
    store,
  ) => {
    if (!store.claims) return;
    for (const [keyExpiresAt, expected] of [
      [undefined, at(50_000)],
      [at(70_000), at(70_000)],
    ] as const) {
      const claim = makeClaim(keyExpiresAt && { keyExpiresAt });
      await store.claims.insert(claim);
      const { keyId, digest } = generateApiKey();
      const made = { keyId, digest, createdAt: now, defaultExpiresAt: at(50_000) };
      await store.claims.take(claim.tokenDigest, made);
      assert.deepEqual((await store.get(keyId))?.expiresAt, expected);
    }
  },
};

export const revokeUserContract: StoreCases = {
  'all of a user -> their keys and open claim links revoked, newest first; nobody else is concerned':
    async (store) => {
      const [old, young] = [makeKey({ expiresAt: at(10) }), makeKey({ createdAt: at(5) })];
      const [dead, other] = [makeKey({ revokedAt: at(1) }), makeKey({ user: 'bob' })];
      for (const key of [old, young, dead, other]) await store.insert(key);
      const [link, ended, others] = [
        makeClaim(),
        makeClaim({ expiresAt: at(500) }),
        makeClaim({ user: 'bob' }),
      ];
      for (const claim of [link, ended, others]) await store.claims?.insert(claim);
      const revoked = await store.revokeUser!('alice', now);
      assert.deepEqual(idsOf(revoked.keys), [young.keyId, old.keyId]);
      for (const { revokedAt } of revoked.keys) assert.deepEqual(revokedAt, now);
      const links = revoked.claims.map(({ claimId, revokedAt }) => [claimId, revokedAt]);
      assert.deepEqual(links, store.claims ? [[link.claimId, now]] : []);
      assert.deepEqual((await store.get(dead.keyId))?.revokedAt, at(1));
      assert.equal((await store.get(other.keyId))?.revokedAt, undefined);
      const nothing = { keys: [], claims: [] };
      assert.deepEqual(await store.revokeUser!('alice', at(2_000)), nothing);
      assert.deepEqual(await store.revokeUser!('nobody', at(2_000)), nothing);
    },

  'all of a user, asked for many times at once -> each key and link is revoked and told once':
    async (store) => {
      const keys = Array.from({ length: 5 }, () => makeKey());
      for (const key of keys) await store.insert(key);
      for (let link = 0; link < 3; link++) await store.claims?.insert(makeClaim());
      const all = await Promise.all(
        Array.from({ length: 8 }, () =>
          store.revokeUser!('alice', now, { context: { by: 'olga', via: 'cli', at: now } }),
        ),
      );
      const told = all.flatMap((each) => idsOf(each.keys));
      assert.deepEqual(told.toSorted(), idsOf(keys as never).toSorted());
      assert.equal(all.flatMap(({ claims }) => claims).length, store.claims ? 3 : 0);
      const events = (await store.events?.list({ limit: 100 })) ?? [];
      const revocations = events.filter(({ what }) => what === 'revoked');
      if (store.events) assert.equal(revocations.length, 5);
      for (const { by, via } of revocations) assert.deepEqual([by, via], ['olga', 'cli']);
    },

  'all of a user while keys are added -> no key that was there before it began works on': async (
    store,
  ) => {
    const before = Array.from({ length: 5 }, () => makeKey());
    for (const key of before) await store.insert(key);
    await Promise.all([
      ...Array.from({ length: 5 }, () => store.insert(makeKey(), limitOf(100))),
      store.revokeUser!('alice', now),
      ...Array.from({ length: 5 }, () => store.insert(makeKey(), limitOf(100))),
    ]);
    for (const { keyId } of before) assert.ok((await store.get(keyId))?.revokedAt);
  },
};

const addresses = ['203.0.113.0/24', '2001:db8::/48', '198.51.100.7'];

export const addressContract: StoreCases = {
  'allowed addresses -> kept as they were given, found with the key, and passed on by a rotation':
    async (store) => {
      const key = makeKey({ allowedAddresses: addresses });
      await store.insert(key);
      assert.deepEqual(await store.findByDigest(key.digest), key);
      const overlap = { overlapMs: 0, startsAt: 'now' } as const;
      const { record } = await store.rotate(key.keyId, successorOf(now), overlap);
      assert.deepEqual(record.allowedAddresses, addresses);
    },

  'an update of the allowed addresses -> replaces them; an empty list takes them away': async (
    store,
  ) => {
    const key = makeKey();
    await store.insert(key);
    const set = await store.update(key.keyId, { allowedAddresses: addresses });
    assert.deepEqual(set.allowedAddresses, addresses);
    await store.update(key.keyId, { name: 'x' });
    assert.deepEqual((await store.findByDigest(key.digest))?.allowedAddresses, addresses);
    const free = await store.update(key.keyId, { allowedAddresses: [] });
    assert.ok(!('allowedAddresses' in free));
    if (!store.events) return;
    const [event] = await store.events.list({ keyId: key.keyId, limit: 1 });
    assert.deepEqual(event?.changes, { allowedAddresses: [addresses, null] });
  },

  'a claim link with allowed addresses -> shows them, and its key has them': async (store) => {
    if (!store.claims) return;
    const claim = makeClaim({ allowedAddresses: addresses });
    const inserted = await store.claims.insert(claim);
    assert.deepEqual(inserted.allowedAddresses, addresses);
    const { keyId, digest } = generateApiKey();
    await store.claims.take(claim.tokenDigest, { keyId, digest, createdAt: now });
    assert.deepEqual((await store.findByDigest(digest))?.allowedAddresses, addresses);
  },
};

export const filterContract: StoreCases = {
  'keys unused since an instant -> the usable ones; one that was never used counts from its creation':
    async (store) => {
      const keys = {
        neverUsed: makeKey({ createdAt: at(100) }),
        usedThen: makeKey({ createdAt: at(50) }),
        usedLater: makeKey({ createdAt: at(40) }),
        young: makeKey({ createdAt: at(101) }),
        revoked: makeKey({ revokedAt: at(200) }),
        expired: makeKey({ expiresAt: now }),
        paused: makeKey(),
      };
      for (const key of Object.values(keys)) await store.insert(key);
      await store.touch([
        { keyId: keys.usedThen.keyId, usedAt: at(100) },
        { keyId: keys.usedLater.keyId, usedAt: at(101) },
      ]);
      await store.pause?.(keys.paused.keyId, { pausedAt: at(500) });
      const found = idsOf(await store.list({ unusedSince: at(100), limit: 10, now }));
      const expected = [keys.neverUsed, keys.usedThen, ...(store.pause ? [] : [keys.paused])];
      assert.deepEqual(found, idsOf(expected as never));
    },

  'keys that expire by an instant -> those that have not ended yet': async (store) => {
    const keys = {
      soon: makeKey({ createdAt: at(3), expiresAt: at(5_000) }),
      later: makeKey({ createdAt: at(2), expiresAt: at(5_001) }),
      over: makeKey({ createdAt: at(1), expiresAt: now }),
      never: makeKey(),
      revoked: makeKey({ expiresAt: at(2_000), revokedAt: at(1) }),
    };
    for (const key of Object.values(keys)) await store.insert(key);
    const query = { expiresBy: at(5_000), limit: 10, now };
    assert.deepEqual(idsOf(await store.list(query)), [keys.soon.keyId]);
    const both = { ...query, unusedSince: at(2) };
    assert.deepEqual(idsOf(await store.list(both)), []);
  },
};

import assert from 'node:assert/strict';
import type { StoreCases } from './contract-case.js';
import { at, idsOf, makeKey, rejectsWith, successorOf } from './stored-key.js';

export const revokeContract: StoreCases = {
  'a revocation -> holds from then on, and a second one does not move it': async (store) => {
    const key = makeKey();
    await store.insert(key);
    const [revoked] = await store.revoke(key.keyId, at(1_000), { family: false });
    assert.deepEqual([revoked?.keyId, revoked?.revokedAt], [key.keyId, at(1_000)]);
    await store.revoke(key.keyId, at(2_000), { family: false });
    await store.update(key.keyId, { name: 'x', expiresAt: at(90_000) });
    assert.deepEqual((await store.findByDigest(key.digest))?.revokedAt, at(1_000));
    await rejectsWith('unknown_key_id', store.revoke('key_0000000000', at(1), { family: true }));
  },

  'a family -> all that rotations link, in both directions, the named key first; without it one key':
    async (store) => {
      const [old, stranger] = [makeKey(), makeKey()];
      const [middle, young] = [successorOf(at(1_000)), successorOf(at(2_000))];
      await store.insert(old);
      await store.insert(stranger);
      await store.rotate(old.keyId, middle, { overlapMs: 90_000, startsAt: 'now' });
      await store.rotate(middle.keyId, young, { overlapMs: 90_000, startsAt: 'now' });
      assert.deepEqual(idsOf(await store.revoke(young.keyId, at(3_000), { family: false })), [
        young.keyId,
      ]);
      const family = idsOf(await store.revoke(middle.keyId, at(4_000), { family: true }));
      assert.equal(family[0], middle.keyId);
      assert.deepEqual(new Set(family), new Set([old.keyId, middle.keyId, young.keyId]));
      const times = await Promise.all(
        [old, middle, young, stranger].map(
          async ({ keyId }) => (await store.get(keyId))?.revokedAt,
        ),
      );
      assert.deepEqual(times, [at(4_000), at(4_000), at(3_000), undefined]);
    },
};

export const touchContract: StoreCases = {
  'uses in any order -> lastUsedAt moves forward, never back, and nothing else moves': async (
    store,
  ) => {
    const key = makeKey({ name: 'laptop', scopes: ['a'], metadata: { a: 1 } });
    await store.insert(key);
    await store.touch([{ keyId: key.keyId, usedAt: at(2_000) }]);
    await store.touch([{ keyId: key.keyId, usedAt: at(1_000) }]);
    assert.deepEqual(await store.findByDigest(key.digest), { ...key, lastUsedAt: at(2_000) });
    await store.touch([{ keyId: key.keyId, usedAt: at(3_001) }]);
    assert.deepEqual((await store.get(key.keyId))?.lastUsedAt, at(3_001));
  },

  'uses of unknown and revoked keys -> the unknown are passed over, the revoked stay revoked':
    async (store) => {
      const [good, revoked] = [makeKey(), makeKey({ revokedAt: at(1_000) })];
      await store.insert(good);
      await store.insert(revoked);
      const ids = ['key_0000000000', good.keyId, revoked.keyId];
      await store.touch(ids.map((keyId) => ({ keyId, usedAt: at(2_000) })));
      await store.touch([]);
      assert.deepEqual((await store.get(good.keyId))?.lastUsedAt, at(2_000));
      assert.deepEqual((await store.get(revoked.keyId))?.revokedAt, at(1_000));
    },

  'revocations and uses at the same time -> every key stays revoked': async (store) => {
    const keys = Array.from({ length: 20 }, () => makeKey());
    for (const key of keys) await store.insert(key);
    const uses = keys.map(({ keyId }) => ({ keyId, usedAt: at(2_000) }));
    await Promise.all([
      ...keys.map(({ keyId }) => store.revoke(keyId, at(1_000), { family: false })),
      ...Array.from({ length: 10 }, (_, turn) => store.touch(turn % 2 ? uses : uses.toReversed())),
    ]);
    for (const { keyId } of keys) assert.deepEqual((await store.get(keyId))?.revokedAt, at(1_000));
  },
};

import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { deepCopy } from '../lib/values.js';
import { digestApiKey } from '../keys/digest.js';
import type { StoredKey } from '../stores/key-record.js';
import type { StoreCases } from './contract-case.js';
import { at, makeKey, rejectsWith, spoil, successorOf } from './stored-key.js';

export const recordContract: StoreCases = {
  'a key that was inserted -> found by its digest, whole and to the millisecond': async (store) => {
    const key = makeKey({
      name: 'laptop',
      scopes: ['audio:read', 'audio:write'],
      metadata: { plan: 'free', limits: { perDay: 5, list: [1, null, 'x'] } },
      createdAt: at(1),
      expiresAt: at(1_000_001),
    });
    await store.insert(key);
    assert.deepEqual(await store.findByDigest(key.digest), key);
  },

  'a key with only what it must have -> optional parts are absent': async (store) => {
    const key = makeKey();
    await store.insert(key);
    assert.deepEqual(await store.findByDigest(key.digest), key);
  },

  'insert, get, list, update -> records without the digest': async (store) => {
    const { digest, ...record } = makeKey({ name: 'laptop' });
    const { keyId } = record;
    const inserted = await store.insert({ ...record, digest });
    assert.deepEqual(inserted, record);
    assert.deepEqual(await store.get(keyId), record);
    assert.deepEqual(await store.list({ limit: 10, now: at(0) }), [record]);
    const updated = await store.update(keyId, { name: 'phone' });
    assert.deepEqual(updated, { ...record, name: 'phone' });
    assert.ok(
      !inspect([inserted, updated], { depth: 9, showHidden: true }).includes(digest.slice(7)),
    );
  },

  'an unknown digest or key id -> undefined': async (store) => {
    await store.insert(makeKey());
    assert.equal(await store.findByDigest(digestApiKey('another')), undefined);
    assert.equal(await store.get('key_0000000000'), undefined);
    assert.equal(await store.get('__proto__'), undefined);
  },

  'a key id or a digest that is taken -> duplicate_key, and nothing changes': async (store) => {
    const key = makeKey();
    await store.insert(key);
    const other = makeKey({ user: 'bob' });
    await rejectsWith('duplicate_key', store.insert({ ...other, keyId: key.keyId }));
    await rejectsWith('duplicate_key', store.insert({ ...other, digest: key.digest }));
    assert.deepEqual(await store.findByDigest(key.digest), key);
    assert.equal(await store.findByDigest(other.digest), undefined);
  },

  'quotes, SQL, HTML, other scripts and 10 000 characters -> kept and compared literally': async (
    store,
  ) => {
    const texts = [
      `'; drop table api_keys; --`,
      `"a" \\ %_$1 {b}`,
      '<b>&amp;</b>',
      'Ærøskøbing 漢字 🎧',
      'n'.repeat(10_000),
    ];
    for (const text of texts) {
      const key = makeKey({ user: text, name: text, metadata: { [text.slice(0, 50)]: text } });
      await store.insert(key);
      assert.deepEqual(await store.findByDigest(key.digest), key);
      const found = await store.list({ user: text, limit: 10, now: at(0) });
      assert.deepEqual(
        found.map(({ keyId }) => keyId),
        [key.keyId],
      );
    }
    assert.deepEqual(await store.list({ user: '%', limit: 10, now: at(0) }), []);
  },

  'an update -> what is named changes, null takes away, the rest stays': async (store) => {
    const key = makeKey({
      name: 'laptop',
      scopes: ['a'],
      metadata: { a: 1 },
      expiresAt: at(9_000),
    });
    await store.insert(key);
    await store.update(key.keyId, { scopes: ['b', 'c'], metadata: { b: 2 } });
    assert.deepEqual(await store.findByDigest(key.digest), {
      ...key,
      scopes: ['b', 'c'],
      metadata: { b: 2 },
    });
    await store.update(key.keyId, { expiresAt: at(10_000), name: 'phone' });
    assert.deepEqual((await store.get(key.keyId))?.expiresAt, at(10_000));
    const bare = await store.update(key.keyId, { expiresAt: null, name: null });
    assert.deepEqual([bare.expiresAt, bare.name, bare.scopes], [undefined, undefined, ['b', 'c']]);
    await rejectsWith('unknown_key_id', store.update('key_0000000000', { name: 'x' }));
  },

  'objects that go in or come out -> changing them changes nothing that is kept': async (store) => {
    const key = makeKey({
      scopes: ['a'],
      metadata: { deep: { list: ['a'] } },
      expiresAt: at(5_000),
    });
    const given = deepCopy(key);
    const returned = [
      await store.insert(given),
      await store.get(key.keyId),
      await store.findByDigest(key.digest),
    ];
    for (const each of [given, ...returned] as StoredKey[]) spoil(each);
    assert.deepEqual(await store.findByDigest(key.digest), key);

    const changes = { scopes: ['b'], metadata: { deep: { list: ['b'] } }, expiresAt: at(6_000) };
    const changed = { ...key, ...deepCopy(changes) };
    for (const each of [changes, await store.update(key.keyId, changes)]) spoil(each);
    assert.deepEqual(await store.findByDigest(key.digest), changed);

    const use = { keyId: key.keyId, usedAt: at(500) };
    await store.touch([use]);
    spoil(use);
    const used = { ...changed, lastUsedAt: at(500) };
    assert.deepEqual(await store.findByDigest(key.digest), used);
  },

  'objects of a rotation -> changing them changes nothing that is kept': async (store) => {
    for (const startsAt of ['now', 'first-use'] as const) {
      const key = makeKey({
        scopes: ['a'],
        metadata: { deep: { list: ['a'] } },
        expiresAt: at(5_000),
      });
      await store.insert(key);
      const given = successorOf(at(1_000));
      const { keyId, digest } = given;
      const overlap = { overlapMs: 2_000, startsAt };
      const { record, previous } = await store.rotate(key.keyId, given, overlap);
      const kept = deepCopy([
        { ...previous, digest: key.digest },
        { ...record, digest },
      ]);
      for (const each of [given, record, previous]) spoil(each);
      assert.deepEqual(
        [await store.findByDigest(key.digest), await store.findByDigest(digest)],
        kept,
      );

      const use = { keyId, usedAt: at(2_000) };
      await store.touch([use]);
      spoil(use);
      const [ended, used] = [await store.get(key.keyId), await store.get(keyId)];
      assert.deepEqual(ended?.expiresAt, startsAt === 'now' ? at(3_000) : at(4_000));
      assert.deepEqual([used?.createdAt, used?.lastUsedAt], [at(1_000), at(2_000)]);
    }
  },

  'objects of a revocation -> changing them changes nothing that is kept': async (store) => {
    for (const family of [false, true]) {
      const key = makeKey();
      const successor = successorOf(at(1_000));
      await store.insert(key);
      await store.rotate(key.keyId, successor, { overlapMs: 5_000, startsAt: 'now' });
      const revokedAt = at(2_000);
      const records = await store.revoke(key.keyId, revokedAt, { family });
      revokedAt.setTime(0);
      for (const record of records) spoil(record);
      const [first, second] = [await store.get(key.keyId), await store.get(successor.keyId)];
      assert.deepEqual([first?.revokedAt, first?.expiresAt], [at(2_000), at(6_000)]);
      assert.deepEqual(second?.revokedAt, family ? at(2_000) : undefined);
    }
  },

  'prune -> deletes what was revoked or expired at the instant or before, and nothing else': async (
    store,
  ) => {
    const dead = {
      expired: makeKey({ expiresAt: at(999) }),
      expiredJustNow: makeKey({ expiresAt: at(1_000) }),
      revoked: makeKey({ revokedAt: at(999), expiresAt: at(5_000) }),
      revokedJustNow: makeKey({ revokedAt: at(1_000) }),
    };
    const kept = {
      active: makeKey(),
      expiresNext: makeKey({ expiresAt: at(1_001) }),
      revokedNext: makeKey({ revokedAt: at(1_001) }),
    };
    for (const key of Object.values({ ...dead, ...kept })) await store.insert(key);
    assert.equal(await store.prune(at(1_000)), 4);
    for (const { keyId, digest } of Object.values(dead)) {
      assert.equal(await store.findByDigest(digest), undefined);
      assert.equal(await store.get(keyId), undefined);
    }
    for (const key of Object.values(kept))
      assert.deepEqual(await store.findByDigest(key.digest), key);
    assert.equal(await store.prune(at(1_000)), 0);
  },
};

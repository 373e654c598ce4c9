import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { deepCopy } from '../lib/deep-copy.js';
import { digestApiKey } from '../lib/digest.js';
import type { StoredKey } from '../stores/key-store.js';
import type { StoreCases } from './contract-case.js';
import { at, makeKey, rejectsWith } from './stored-key.js';

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
    assert.ok(!inspect([inserted, updated], { depth: 9, showHidden: true }).includes(digest.slice(7)));
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

  'quotes, SQL, HTML, other scripts and 10 000 characters -> kept and compared literally': async (store) => {
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
    const key = makeKey({ name: 'laptop', scopes: ['a'], metadata: { a: 1 }, expiresAt: at(9_000) });
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
    const key = makeKey({ scopes: ['a'], metadata: { deep: { list: ['a'] } }, expiresAt: at(5_000) });
    const given = deepCopy(key);
    const returned = [
      await store.insert(given),
      await store.get(key.keyId),
      await store.findByDigest(key.digest),
    ];
    for (const each of [given, ...returned] as StoredKey[]) {
      (each.scopes as string[]).push('admin');
      (each.metadata.deep as { list: string[] }).list.push('b');
      each.expiresAt?.setTime(0);
    }
    assert.deepEqual(await store.findByDigest(key.digest), key);
  },

  'prune -> deletes what was revoked or had expired before the instant, and nothing else': async (store) => {
    const keys = {
      active: makeKey(),
      later: makeKey({ expiresAt: at(2_000) }),
      atTheInstant: makeKey({ expiresAt: at(1_000) }),
      expired: makeKey({ expiresAt: at(999) }),
      revoked: makeKey({ revokedAt: at(999), expiresAt: at(5_000) }),
    };
    for (const key of Object.values(keys)) await store.insert(key);
    assert.equal(await store.prune(at(1_000)), 2);
    assert.equal(await store.findByDigest(keys.expired.digest), undefined);
    assert.equal(await store.get(keys.revoked.keyId), undefined);
    assert.equal((await store.list({ limit: 10, now: at(0) })).length, 3);
    assert.equal(await store.prune(at(1_000)), 0);
  },
};

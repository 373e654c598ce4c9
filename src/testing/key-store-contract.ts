import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { digestApiKey } from '../lib/digest.js';
import type { KeyRecord, KeyStatus, KeyStore, StoredKey } from '../stores/key-store.js';
import { claimContract } from './claim-store-contract.js';
import type { ContractCase } from './contract-case.js';
import { searchContract } from './key-store-search-contract.js';
import { watchContract } from './key-store-watch-contract.js';
import { at, makeKey, rejectsWith, successorOf } from './stored-key.js';

/**
 * What every key store has to do, as cases for any test runner. `open` is called for each case and must give an empty store;
 * the cases may run at the same time.
 */
export function keyStoreContract(open: () => KeyStore | Promise<KeyStore>): ContractCase[] {
  const contract = {
    ...recordContract,
    ...listContract,
    ...rotateContract,
    ...revokeContract,
    ...touchContract,
  };
  return Object.entries({ ...contract, ...searchContract, ...watchContract, ...claimContract }).map(
    ([title, run]) => ({
      title,
      run: async () => run(await open()),
    }),
  );
}

type Cases = Record<string, (store: KeyStore) => Promise<void>>;

const recordContract: Cases = {
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
    const given = structuredClone(key);
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

const idsOf = (records: readonly KeyRecord[]) => records.map(({ keyId }) => keyId);

const listContract: Cases = {
  'a list -> newest first, by key id among equals, in pages that neither repeat nor skip': async (store) => {
    const keys = Array.from({ length: 25 }, (_, index) => makeKey({ createdAt: at(Math.floor(index / 3)) }));
    for (const key of keys) await store.insert(key);
    const expected = keys
      .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.keyId < b.keyId ? 1 : -1))
      .map(({ keyId }) => keyId);
    const seen: string[] = [];
    for (let cursor: string | undefined; seen.length < 100; cursor = seen.at(-1)) {
      const page = await store.list({ limit: 10, cursor, now: at(0) });
      if (page.length === 0) break;
      seen.push(...idsOf(page));
    }
    assert.deepEqual(seen, expected);
  },

  'a cursor that is no key id -> unknown_key_id': async (store) => {
    await store.insert(makeKey());
    await rejectsWith('unknown_key_id', store.list({ limit: 10, cursor: 'key_0000000000', now: at(0) }));
  },

  'a status -> the records that have it at that instant; active means every usable one': async (store) => {
    const week = 7 * 24 * 3_600_000;
    const now = at(10_000);
    const keys = {
      active: makeKey({ expiresAt: at(10_000 + week + 1) }),
      expiring: makeKey({ expiresAt: at(10_000 + week) }),
      rotating: makeKey(),
      expired: makeKey({ expiresAt: now }),
      revoked: makeKey({ revokedAt: at(5_000), expiresAt: now }),
    };
    for (const key of Object.values(keys)) await store.insert(key);
    const successor = successorOf(at(9_000));
    await store.rotate(keys.rotating.keyId, successor, { overlapMs: 30 * week, startsAt: 'now' });
    const listed = async (status: KeyStatus) => new Set(idsOf(await store.list({ status, limit: 10, now })));
    for (const status of ['expiring', 'rotating', 'expired', 'revoked'] as const) {
      assert.deepEqual(await listed(status), new Set([keys[status].keyId]), status);
    }
    const usable = [keys.active, keys.expiring, keys.rotating, successor].map(({ keyId }) => keyId);
    assert.deepEqual(await listed('active'), new Set(usable));
  },

  'user and status together with a cursor -> all of them hold': async (store) => {
    const keys = Array.from({ length: 6 }, (_, index) =>
      makeKey({
        user: index % 2 ? 'bob' : 'alice',
        createdAt: at(index),
        ...(index > 3 && { revokedAt: at(9) }),
      }),
    );
    for (const key of keys) await store.insert(key);
    const query = { user: 'alice', status: 'active', now: at(10), limit: 1 } as const;
    const first = await store.list(query);
    assert.deepEqual(idsOf(first), [keys[2]!.keyId]);
    assert.deepEqual(idsOf(await store.list({ ...query, cursor: keys[2]!.keyId })), [keys[0]!.keyId]);
  },
};

const rotateContract: Cases = {
  'a rotation -> a successor with the same user, name, scopes, metadata and expiry': async (store) => {
    const old = makeKey({ name: 'laptop', scopes: ['a'], metadata: { a: [1] }, expiresAt: at(90_000) });
    await store.insert(old);
    await store.touch([{ keyId: old.keyId, usedAt: at(500) }]);
    const successor = successorOf(at(1_000));
    const { record, previous } = await store.rotate(old.keyId, successor, {
      overlapMs: 5_000,
      startsAt: 'now',
    });
    const { digest: _digest, ...inherited } = old;
    const { digest, ...own } = successor;
    assert.deepEqual(record, { ...inherited, ...own, replaces: old.keyId });
    assert.deepEqual(await store.findByDigest(digest), { ...record, digest });
    const ended = { ...inherited, lastUsedAt: at(500), expiresAt: at(6_000), replacedBy: successor.keyId };
    assert.deepEqual(previous, ended);
    assert.deepEqual(await store.findByDigest(old.digest), { ...ended, digest: old.digest });
  },

  'an overlap beyond the old expiry -> the old key ends when it would have': async (store) => {
    const old = makeKey({ expiresAt: at(3_000) });
    await store.insert(old);
    const { previous } = await store.rotate(old.keyId, successorOf(at(1_000)), {
      overlapMs: 5_000,
      startsAt: 'now',
    });
    assert.deepEqual(previous.expiresAt, at(3_000));
  },

  'no overlap -> the old key ends at the instant of the rotation': async (store) => {
    const old = makeKey();
    await store.insert(old);
    const { previous } = await store.rotate(old.keyId, successorOf(at(1_000)), {
      overlapMs: 0,
      startsAt: 'now',
    });
    assert.deepEqual(previous.expiresAt, at(1_000));
  },

  'a key that is revoked, or expired at that instant -> key_not_usable': async (store) => {
    for (const dead of [makeKey({ revokedAt: at(1) }), makeKey({ expiresAt: at(1_000) })]) {
      await store.insert(dead);
      const successor = successorOf(at(1_000));
      await rejectsWith(
        'key_not_usable',
        store.rotate(dead.keyId, successor, { overlapMs: 1, startsAt: 'now' }),
      );
      assert.equal(await store.findByDigest(successor.digest), undefined);
    }
    await rejectsWith(
      'unknown_key_id',
      store.rotate('key_0000000000', successorOf(at(1)), { overlapMs: 1, startsAt: 'now' }),
    );
  },

  'ten rotations of one key at once -> exactly one successor, the others already_rotated': async (store) => {
    const old = makeKey();
    await store.insert(old);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () =>
        store.rotate(old.keyId, successorOf(at(1_000)), { overlapMs: 5_000, startsAt: 'now' }),
      ),
    );
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.equal(lost.length, 9);
    for (const { reason } of lost) assert.equal((reason as { code?: string }).code, 'already_rotated');
    assert.equal((await store.list({ limit: 100, now: at(1_000) })).length, 2);
  },

  'a successor -> can be rotated in its turn': async (store) => {
    const old = makeKey();
    await store.insert(old);
    const [first, second] = [successorOf(at(1_000)), successorOf(at(2_000))];
    await store.rotate(old.keyId, first, { overlapMs: 0, startsAt: 'now' });
    const { record, previous } = await store.rotate(first.keyId, second, { overlapMs: 0, startsAt: 'now' });
    assert.deepEqual(
      [record.replaces, previous.replaces, previous.replacedBy],
      [first.keyId, old.keyId, second.keyId],
    );
  },

  'a rotation that starts at first use -> the old key ends that long after the first use, once': async (
    store,
  ) => {
    const old = makeKey({ expiresAt: at(90_000) });
    await store.insert(old);
    const successor = successorOf(at(1_000));
    const { record, previous } = await store.rotate(old.keyId, successor, {
      overlapMs: 5_000,
      startsAt: 'first-use',
    });
    assert.deepEqual(
      [record.overlapMs, previous.expiresAt, previous.replacedBy],
      [5_000, at(90_000), successor.keyId],
    );

    await store.touch([{ keyId: old.keyId, usedAt: at(1_500) }]);
    assert.deepEqual((await store.get(old.keyId))?.expiresAt, at(90_000));
    await store.touch([{ keyId: successor.keyId, usedAt: at(2_000) }]);
    await store.touch([{ keyId: successor.keyId, usedAt: at(8_000) }]);
    const [ended, used] = [await store.get(old.keyId), await store.get(successor.keyId)];
    assert.deepEqual(ended?.expiresAt, at(7_000));
    assert.deepEqual(
      [used?.overlapMs, used?.lastUsedAt, used?.expiresAt],
      [undefined, at(8_000), at(90_000)],
    );
  },

  'a first use late in the life of the old key -> it ends when it would have': async (store) => {
    const old = makeKey({ expiresAt: at(3_000) });
    await store.insert(old);
    const successor = successorOf(at(1_000));
    await store.rotate(old.keyId, successor, { overlapMs: 5_000, startsAt: 'first-use' });
    await store.touch([{ keyId: successor.keyId, usedAt: at(2_000) }]);
    assert.deepEqual((await store.get(old.keyId))?.expiresAt, at(3_000));
  },
};

const revokeContract: Cases = {
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

  'a family -> all that rotations link, in both directions, the named key first; without it one key': async (
    store,
  ) => {
    const [old, stranger] = [makeKey(), makeKey()];
    const [middle, young] = [successorOf(at(1_000)), successorOf(at(2_000))];
    await store.insert(old);
    await store.insert(stranger);
    await store.rotate(old.keyId, middle, { overlapMs: 90_000, startsAt: 'now' });
    await store.rotate(middle.keyId, young, { overlapMs: 90_000, startsAt: 'now' });
    assert.deepEqual(idsOf(await store.revoke(young.keyId, at(3_000), { family: false })), [young.keyId]);
    const family = idsOf(await store.revoke(middle.keyId, at(4_000), { family: true }));
    assert.equal(family[0], middle.keyId);
    assert.deepEqual(new Set(family), new Set([old.keyId, middle.keyId, young.keyId]));
    const times = await Promise.all(
      [old, middle, young, stranger].map(async ({ keyId }) => (await store.get(keyId))?.revokedAt),
    );
    assert.deepEqual(times, [at(4_000), at(4_000), at(3_000), undefined]);
  },
};

const touchContract: Cases = {
  'uses in any order -> lastUsedAt moves forward, never back, and nothing else moves': async (store) => {
    const key = makeKey({ name: 'laptop', scopes: ['a'], metadata: { a: 1 } });
    await store.insert(key);
    await store.touch([{ keyId: key.keyId, usedAt: at(2_000) }]);
    await store.touch([{ keyId: key.keyId, usedAt: at(1_000) }]);
    assert.deepEqual(await store.findByDigest(key.digest), { ...key, lastUsedAt: at(2_000) });
    await store.touch([{ keyId: key.keyId, usedAt: at(3_001) }]);
    assert.deepEqual((await store.get(key.keyId))?.lastUsedAt, at(3_001));
  },

  'uses of unknown and revoked keys -> the unknown are passed over, the revoked stay revoked': async (
    store,
  ) => {
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

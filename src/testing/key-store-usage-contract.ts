import assert from 'node:assert/strict';
import type { KeyNotice, KeyStore } from '../stores/key-store.js';
import type { KeyUsage, UsageQuery } from '../stores/key-usage.js';
import type { StoreCases } from './contract-case.js';
import { at, makeKey, successorOf } from './stored-key.js';

const count = (day: string, keyId: string, fields: Partial<KeyUsage> = {}): KeyUsage => ({
  day,
  keyId,
  user: 'alice',
  admitted: 1,
  refused: 0,
  ...fields,
});

const listOf = (store: KeyStore, query: Partial<UsageQuery> = {}) =>
  store.usage!.list({ from: '2030-01-01', to: '2030-12-31', ...query });

const [a, b] = ['key_0000000001', 'key_0000000002'];

export const usageContract: StoreCases = {
  'counts of one key and day -> added up, under its last user; days and keys in order': async (
    store,
  ) => {
    await store.usage!.add([
      count('2030-01-02', b, { admitted: 5 }),
      count('2030-01-01', b, { refused: 2 }),
      count('2030-01-02', a, { admitted: 3 }),
    ]);
    await store.usage!.add([count('2030-01-02', a, { user: 'bob', admitted: 4, refused: 1 })]);
    await store.usage!.add([]);
    assert.deepEqual(await listOf(store), [
      count('2030-01-01', b, { refused: 2 }),
      count('2030-01-02', a, { user: 'bob', admitted: 7, refused: 1 }),
      count('2030-01-02', b, { admitted: 5 }),
    ]);
  },

  'a list of counts -> of one key, of one user, from a day to a day, both included': async (
    store,
  ) => {
    const days = ['2030-01-31', '2030-02-01', '2030-02-28', '2030-03-01'];
    await store.usage!.add(days.map((day) => count(day, a)));
    await store.usage!.add(days.map((day) => count(day, b, { user: 'bob' })));
    const february = { from: '2030-02-01', to: '2030-02-28' };
    const daysOf = async (query: Partial<UsageQuery>) =>
      (await listOf(store, { ...february, ...query })).map(({ day }) => day);
    assert.deepEqual(await daysOf({ keyId: a }), days.slice(1, 3));
    assert.deepEqual(await daysOf({ user: 'bob' }), days.slice(1, 3));
    assert.deepEqual(await daysOf({ user: 'bob', keyId: a }), []);
    assert.equal((await listOf(store, february)).length, 4);
  },

  'counts of the same keys in many orders at once -> all are there': async (store) => {
    const keyIds = Array.from(
      { length: 30 },
      (_, index) => `key_${String(index).padStart(10, '0')}`,
    );
    await Promise.all(
      Array.from({ length: 10 }, (_, turn) => {
        const counts = keyIds.map((keyId) => count('2030-01-01', keyId));
        return store.usage!.add(turn % 2 ? counts : counts.toReversed());
      }),
    );
    const listed = await listOf(store);
    assert.deepEqual(
      listed.map(({ keyId, admitted }) => [keyId, admitted]),
      keyIds.map((keyId) => [keyId, 10]),
    );
  },

  'pruning counts -> deletes the days before the given one': async (store) => {
    await store.usage!.add(['2030-01-01', '2030-01-02'].map((day) => count(day, a)));
    assert.equal(await store.usage!.prune('2030-01-02'), 1);
    assert.deepEqual(await listOf(store), [count('2030-01-02', a)]);
  },

  'counts -> leave no event, and are no change of a key': async (store) => {
    const key = makeKey();
    await store.insert(key);
    await store.usage!.add([count('2030-01-01', key.keyId)]);
    assert.deepEqual(await store.findByDigest(key.digest), key);
    if (store.events) assert.equal((await store.events.list({ limit: 10 })).length, 1);
  },
};

const day = 24 * 3_600_000;
const thresholds = [3 * day, 14 * day];
const take = async (store: KeyStore, now: Date, beforeMs: readonly number[] = thresholds) =>
  (await store.takeNotices!({ beforeMs, now })).map(({ record, beforeMs: before }: KeyNotice) => [
    record.keyId,
    before,
  ]);

export const noticeContract: StoreCases = {
  'a key near its end -> told once for each threshold, at the instant that it is reached': async (
    store,
  ) => {
    const key = makeKey({ expiresAt: at(20 * day) });
    await store.insert(key);
    assert.deepEqual(await take(store, at(6 * day - 1)), []);
    const notices = await store.takeNotices!({ beforeMs: thresholds, now: at(6 * day) });
    const { digest: _digest, ...record } = key;
    assert.deepEqual(notices, [{ record, beforeMs: 14 * day, expiresAt: at(20 * day) }]);
    assert.deepEqual(await take(store, at(6 * day)), []);
    assert.deepEqual(await take(store, at(17 * day)), [[key.keyId, 3 * day]]);
    assert.deepEqual(await take(store, at(19 * day)), []);
  },

  'two thresholds passed at once -> only the nearer is told': async (store) => {
    const key = makeKey({ expiresAt: at(2 * day) });
    await store.insert(key);
    assert.deepEqual(await take(store, at(0)), [[key.keyId, 3 * day]]);
    assert.deepEqual(await take(store, at(0)), []);
    assert.deepEqual(await take(store, at(0), [14 * day]), []);
  },

  'an end that is put off -> told again': async (store) => {
    const key = makeKey({ expiresAt: at(2 * day) });
    await store.insert(key);
    await take(store, at(0));
    await store.update(key.keyId, { expiresAt: at(10 * day) });
    assert.deepEqual(await take(store, at(0)), [[key.keyId, 14 * day]]);
  },

  'keys that are revoked, expired, replaced or without an end -> never told': async (store) => {
    const expiresAt = at(2 * day);
    const rotated = makeKey({ expiresAt });
    const others = [
      makeKey(),
      makeKey({ expiresAt, revokedAt: at(0) }),
      makeKey({ expiresAt: at(1_000) }),
    ];
    for (const key of [rotated, ...others]) await store.insert(key);
    const successor = successorOf(at(500));
    await store.rotate(rotated.keyId, successor, { overlapMs: 90 * day, startsAt: 'now' });
    assert.deepEqual(await take(store, at(1_000)), [[successor.keyId, 3 * day]]);
  },

  'many that ask at the same time -> each key is told to one of them': async (store) => {
    const keys = Array.from({ length: 10 }, () => makeKey({ expiresAt: at(2 * day) }));
    for (const key of keys) await store.insert(key);
    const told = await Promise.all(Array.from({ length: 8 }, () => take(store, at(0))));
    const ids = told.flat().map(([keyId]) => keyId);
    assert.equal(ids.length, keys.length);
    assert.deepEqual(new Set(ids), new Set(keys.map(({ keyId }) => keyId)));
  },
};

import assert from 'node:assert/strict';
import { whyNotUsable } from '../keys/admission.js';
import type { ChangeContext } from '../stores/key-event.js';
import type { StoreCases } from './contract-case.js';
import { at, idsOf, makeKey, rejectsWith, successorOf } from './stored-key.js';

const context: ChangeContext = { by: 'olga', via: 'desk', at: at(0) };

export const pauseContract: StoreCases = {
  'a pause -> its start and its end are kept; a second one keeps the start and sets the end anew':
    async (store) => {
      const key = makeKey({ name: 'laptop' });
      await store.insert(key);
      const { digest, ...record } = key;
      const paused = await store.pause!(key.keyId, { pausedAt: at(1_000) });
      assert.deepEqual(paused, { ...record, pausedAt: at(1_000) });
      const pausedUntil = at(5_001);
      await store.pause!(key.keyId, { pausedAt: at(2_000), pausedUntil });
      const whole = { ...key, pausedAt: at(1_000), pausedUntil };
      assert.deepEqual(await store.findByDigest(digest), whole);
      await store.pause!(key.keyId, { pausedAt: at(3_000) });
      assert.deepEqual(await store.findByDigest(digest), { ...key, pausedAt: at(1_000) });
    },

  'a pause that has ended by itself -> stays as it is when it is resumed, and a new one starts anew':
    async (store) => {
      const key = makeKey();
      await store.insert(key);
      await store.pause!(key.keyId, { pausedAt: at(1_000), pausedUntil: at(2_000) });
      const ended = await store.get(key.keyId);
      assert.deepEqual(await store.resume!(key.keyId, at(2_000)), ended);
      const again = await store.pause!(key.keyId, { pausedAt: at(3_000), pausedUntil: at(4_000) });
      assert.deepEqual([again.pausedAt, again.pausedUntil], [at(3_000), at(4_000)]);
    },

  'a key that is resumed -> as before the pause; one that was never paused, too': async (store) => {
    const { digest, ...record } = makeKey();
    await store.insert({ ...record, digest });
    assert.deepEqual(await store.resume!(record.keyId, at(1_000)), record);
    await store.pause!(record.keyId, { pausedAt: at(1_000), pausedUntil: at(9_000) });
    assert.deepEqual(await store.resume!(record.keyId, at(2_000)), record);
  },

  'a pause or its end for a key that is revoked or expired, or unknown -> refused, nothing changed':
    async (store) => {
      const dead = [makeKey({ revokedAt: at(1) }), makeKey({ expiresAt: at(1_000) })];
      for (const key of dead) {
        await store.insert(key);
        await rejectsWith('key_not_usable', store.pause!(key.keyId, { pausedAt: at(1_000) }));
        await rejectsWith('key_not_usable', store.resume!(key.keyId, at(1_000)));
        assert.deepEqual(await store.findByDigest(key.digest), key);
      }
      await rejectsWith('unknown_key_id', store.pause!('key_0000000000', { pausedAt: at(1) }));
      await rejectsWith('unknown_key_id', store.resume!('key_0000000000', at(1)));
    },

  'a paused key -> can be changed, revoked, and rotated; its successor is not paused': async (
    store,
  ) => {
    const key = makeKey();
    await store.insert(key);
    const pause = { pausedAt: at(1_000), pausedUntil: at(60_000) };
    await store.pause!(key.keyId, pause);
    await store.update(key.keyId, { name: 'x' });
    const overlap = { overlapMs: 5_000, startsAt: 'now' } as const;
    const { record, previous } = await store.rotate(key.keyId, successorOf(at(2_000)), overlap);
    assert.deepEqual([record.pausedAt, record.pausedUntil], [undefined, undefined]);
    assert.deepEqual([previous.pausedAt, previous.pausedUntil], [at(1_000), at(60_000)]);
    const [revoked] = await store.revoke(key.keyId, at(3_000), { family: false });
    assert.deepEqual(revoked?.revokedAt, at(3_000));
  },

  'a status of paused -> the keys that are paused at that instant; active leaves them out': async (
    store,
  ) => {
    const [paused, ended, revoked] = [makeKey(), makeKey(), makeKey()];
    for (const key of [paused, ended, revoked]) await store.insert(key);
    const pausedUntil = at(5_000);
    await store.pause!(paused.keyId, { pausedAt: at(1_000), pausedUntil: at(5_001) });
    for (const { keyId } of [ended, revoked])
      await store.pause!(keyId, { pausedAt: at(1_000), pausedUntil });
    await store.revoke(revoked.keyId, at(2_000), { family: false });
    const list = async (status: 'paused' | 'active') =>
      idsOf(await store.list({ status, limit: 10, now: at(5_000) }));
    assert.deepEqual(await list('paused'), [paused.keyId]);
    assert.deepEqual(await list('active'), [ended.keyId]);
  },

  'pauses, their ends and a revocation at the same time -> the key stays revoked': async (
    store,
  ) => {
    for (let turn = 0; turn < 5; turn++) {
      const key = makeKey();
      await store.insert(key);
      await Promise.allSettled([
        store.pause!(key.keyId, { pausedAt: at(1_000) }),
        store.resume!(key.keyId, at(1_000)),
        store.revoke(key.keyId, at(1_000), { family: false }),
        store.pause!(key.keyId, { pausedAt: at(1_000), pausedUntil: at(2_000) }),
        store.resume!(key.keyId, at(1_000)),
      ]);
      const stored = await store.findByDigest(key.digest);
      assert.equal(whyNotUsable(stored!, at(90_000).getTime()), 'revoked_api_key');
    }
  },

  'a pause and its end -> one event each, with the end before and after; none if nothing changes':
    async (store) => {
      if (!store.events) return;
      const { keyId, ...key } = makeKey();
      await store.insert({ keyId, ...key });
      const pause = { pausedAt: at(1_000), pausedUntil: at(9_000) };
      await store.resume!(keyId, at(500), { context });
      for (let turn = 0; turn < 2; turn++) await store.pause!(keyId, pause, { context });
      await store.pause!(keyId, { pausedAt: at(2_000) }, { context });
      for (let turn = 0; turn < 2; turn++) await store.resume!(keyId, at(3_000), { context });
      const events = await store.events.list({ keyId, limit: 10 });
      const end = at(9_000).toISOString();
      assert.deepEqual(
        events.map(({ what, by, changes }) => ({ what, by, changes })),
        [
          { what: 'resumed', by: 'olga', changes: undefined },
          { what: 'paused', by: 'olga', changes: { pausedUntil: [end, null] } },
          { what: 'paused', by: 'olga', changes: { pausedUntil: [null, end] } },
          { what: 'created', by: undefined, changes: undefined },
        ],
      );
    },
};

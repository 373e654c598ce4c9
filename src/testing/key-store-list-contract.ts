import assert from 'node:assert/strict';
import type { KeyStatus } from '../stores/key-record.js';
import type { StoreCases } from './contract-case.js';
import { at, idsOf, makeKey, rejectsWith, successorOf } from './stored-key.js';

export const listContract: StoreCases = {
  'a list -> newest first, by key id among equals, in pages that neither repeat nor skip': async (
    store,
  ) => {
    const keys = Array.from({ length: 25 }, (_, index) =>
      makeKey({ createdAt: at(Math.floor(index / 3)) }),
    );
    for (const key of keys) await store.insert(key);
    const expected = keys
      .toSorted(
        (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.keyId < b.keyId ? 1 : -1),
      )
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
    await rejectsWith(
      'unknown_key_id',
      store.list({ limit: 10, cursor: 'key_0000000000', now: at(0) }),
    );
  },

  'a status -> the records that have it at that instant; active means every usable one': async (
    store,
  ) => {
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
    const listed = async (status: KeyStatus) =>
      new Set(idsOf(await store.list({ status, limit: 10, now })));
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
    assert.deepEqual(idsOf(await store.list({ ...query, cursor: keys[2]!.keyId })), [
      keys[0]!.keyId,
    ]);
  },
};

import assert from 'node:assert/strict';
import type { StoreCases } from './contract-case.js';
import { at, makeKey, rejectsWith, successorOf } from './stored-key.js';

export const rotateContract: StoreCases = {
  'a rotation -> a successor with the same user, name, scopes, metadata and expiry': async (
    store,
  ) => {
    const old = makeKey({
      name: 'laptop',
      scopes: ['a'],
      metadata: { a: [1] },
      expiresAt: at(90_000),
    });
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
    const ended = {
      ...inherited,
      lastUsedAt: at(500),
      expiresAt: at(6_000),
      replacedBy: successor.keyId,
    };
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

  'ten rotations of one key at once -> exactly one successor, the others already_rotated': async (
    store,
  ) => {
    const old = makeKey();
    await store.insert(old);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () =>
        store.rotate(old.keyId, successorOf(at(1_000)), { overlapMs: 5_000, startsAt: 'now' }),
      ),
    );
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.equal(lost.length, 9);
    for (const { reason } of lost)
      assert.equal((reason as { code?: string }).code, 'already_rotated');
    assert.equal((await store.list({ limit: 100, now: at(1_000) })).length, 2);
  },

  'a successor -> can be rotated in its turn': async (store) => {
    const old = makeKey();
    await store.insert(old);
    const [first, second] = [successorOf(at(1_000)), successorOf(at(2_000))];
    await store.rotate(old.keyId, first, { overlapMs: 0, startsAt: 'now' });
    const { record, previous } = await store.rotate(first.keyId, second, {
      overlapMs: 0,
      startsAt: 'now',
    });
    assert.deepEqual(
      [record.replaces, previous.replaces, previous.replacedBy],
      [first.keyId, old.keyId, second.keyId],
    );
  },

  'a rotation that starts at first use -> the old key ends that long after the first use, once':
    async (store) => {
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

  'prune while a rotated key still works -> its dead successors stay, so that it counts as rotated and its family is whole':
    async (store) => {
      const first = makeKey();
      await store.insert(first);
      const [second, third, fourth] = [
        successorOf(at(1_000)),
        successorOf(at(2_000)),
        successorOf(at(3_000)),
      ];
      await store.rotate(first.keyId, second, { overlapMs: 60_000, startsAt: 'now' });
      await store.rotate(second.keyId, third, { overlapMs: 0, startsAt: 'now' });
      await store.rotate(third.keyId, fourth, { overlapMs: 0, startsAt: 'now' });
      assert.equal(await store.prune(at(60_999)), 0);
      const later = store.update(first.keyId, { expiresAt: null });
      await rejectsWith('already_rotated', later);
      const again = store.rotate(first.keyId, successorOf(at(4_000)), {
        overlapMs: 0,
        startsAt: 'now',
      });
      await rejectsWith('already_rotated', again);

      await store.revoke(fourth.keyId, at(5_000), { family: true });
      assert.deepEqual((await store.get(first.keyId))?.revokedAt, at(5_000));
    },

  'prune once the rotated key has ended, too -> deletes it with its dead successors, and keeps the one that works':
    async (store) => {
      const [first, bystander] = [makeKey(), makeKey({ revokedAt: at(2_500) })];
      for (const key of [first, bystander]) await store.insert(key);
      const [second, third] = [successorOf(at(1_000)), successorOf(at(2_000))];
      await store.rotate(first.keyId, second, { overlapMs: 60_000, startsAt: 'now' });
      await store.rotate(second.keyId, third, { overlapMs: 0, startsAt: 'now' });
      assert.equal(await store.prune(at(3_000)), 1);
      assert.equal(await store.get(bystander.keyId), undefined);
      assert.equal(await store.prune(at(61_000)), 2);
      for (const { keyId } of [first, second]) assert.equal(await store.get(keyId), undefined);
      assert.equal((await store.get(third.keyId))?.replaces, second.keyId);
    },

  'prune of a successor that was revoked before its first use -> it stays while the old key works':
    async (store) => {
      const old = makeKey();
      await store.insert(old);
      const successor = successorOf(at(1_000));
      await store.rotate(old.keyId, successor, { overlapMs: 5_000, startsAt: 'first-use' });
      await store.revoke(successor.keyId, at(2_000), { family: false });
      assert.equal(await store.prune(at(90_000)), 0);
      await store.revoke(old.keyId, at(90_001), { family: false });
      assert.equal(await store.prune(at(90_001)), 2);
    },

  'a successor that is replaced before its first use -> the key before it ends the overlap after that, or when it would have':
    async (store) => {
      for (const [expiresAt, end] of [
        [undefined, at(7_000)],
        [at(90_000), at(7_000)],
        [at(3_000), at(3_000)],
      ] as const) {
        for (const startsAt of ['now', 'first-use'] as const) {
          const old = makeKey(expiresAt && { expiresAt });
          await store.insert(old);
          const [first, second] = [successorOf(at(1_000)), successorOf(at(2_000))];
          await store.rotate(old.keyId, first, { overlapMs: 5_000, startsAt: 'first-use' });
          await store.rotate(first.keyId, second, { overlapMs: 60_000, startsAt });
          assert.deepEqual((await store.get(old.keyId))?.expiresAt, end);

          await store.touch([{ keyId: first.keyId, usedAt: at(2_500) }]);
          await store.touch([{ keyId: second.keyId, usedAt: at(2_600) }]);
          assert.deepEqual((await store.get(old.keyId))?.expiresAt, end);
        }
      }
    },

  'a successor that was used and is then replaced -> the end of the key before it stays': async (
    store,
  ) => {
    const old = makeKey();
    await store.insert(old);
    const [first, second] = [successorOf(at(1_000)), successorOf(at(3_000))];
    await store.rotate(old.keyId, first, { overlapMs: 5_000, startsAt: 'first-use' });
    await store.touch([{ keyId: first.keyId, usedAt: at(2_000) }]);
    await store.rotate(first.keyId, second, { overlapMs: 0, startsAt: 'now' });
    assert.deepEqual((await store.get(old.keyId))?.expiresAt, at(7_000));
  },

  'an expiry of a key with a successor -> may come earlier; later or never is already_rotated, nothing changed':
    async (store) => {
      for (const startsAt of ['now', 'first-use'] as const) {
        const old = makeKey({ name: 'laptop', expiresAt: at(5_000) });
        await store.insert(old);
        await store.rotate(old.keyId, successorOf(at(1_000)), { overlapMs: 90_000, startsAt });
        const before = await store.get(old.keyId);
        for (const expiresAt of [null, at(5_001)]) {
          await rejectsWith(
            'already_rotated',
            store.update(old.keyId, { expiresAt, name: 'phone' }),
          );
        }
        assert.deepEqual(await store.get(old.keyId), before);
        await store.update(old.keyId, { expiresAt: at(5_000), name: 'phone' });
        const earlier = await store.update(old.keyId, { expiresAt: at(4_000) });
        assert.deepEqual([earlier.expiresAt, earlier.name], [at(4_000), 'phone']);
      }
    },

  'a key without an end whose successor waits for its first use -> may be given one, and not lose it again':
    async (store) => {
      const old = makeKey();
      await store.insert(old);
      await store.rotate(old.keyId, successorOf(at(1_000)), {
        overlapMs: 5_000,
        startsAt: 'first-use',
      });
      await store.update(old.keyId, { expiresAt: null });
      await store.update(old.keyId, { expiresAt: at(9_000) });
      await rejectsWith('already_rotated', store.update(old.keyId, { expiresAt: null }));
      assert.deepEqual((await store.get(old.keyId))?.expiresAt, at(9_000));
    },

  'rotations and changes of the expiry at the same time -> no old key ends after its overlap':
    async (store) => {
      for (let turn = 0; turn < 10; turn++) {
        const old = makeKey(turn % 2 ? { expiresAt: at(4_000) } : {});
        await store.insert(old);
        const later = () => store.update(old.keyId, { expiresAt: turn % 3 ? null : at(60_000) });
        const outcomes = await Promise.allSettled([
          later(),
          later(),
          store.rotate(old.keyId, successorOf(at(1_000)), { overlapMs: 5_000, startsAt: 'now' }),
          later(),
          later(),
        ]);
        assert.equal(outcomes[2].status, 'fulfilled');
        const { expiresAt } = (await store.get(old.keyId))!;
        assert.ok(expiresAt && expiresAt <= at(6_000), 'the old key outlives its overlap');
      }
    },
};

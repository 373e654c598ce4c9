import assert from 'node:assert/strict';
import { generateApiKey } from '../keys/key-format.js';
import { secretMark } from '../stores/event-changes.js';
import type { ChangeContext, KeyEvent } from '../stores/key-event.js';
import type { KeyStore } from '../stores/key-store.js';
import type { StoreCases } from './contract-case.js';
import { makeClaim } from './claim-store-contract.js';
import { at, makeKey, rejectsWith, successorOf } from './stored-key.js';

const context: ChangeContext = { by: 'olga', reason: 'ticket 7', via: 'desk', at: at(0) };
const options = { context };
const overlap = { overlapMs: 5_000, startsAt: 'now' } as const;
const start = new Date('2030-01-01T00:00:00.000Z');

/** Events of a key, oldest first, without what every store makes up by itself. */
async function eventsOf(store: KeyStore, keyId?: string): Promise<Partial<KeyEvent>[]> {
  const events = await store.events!.list({ keyId, limit: 1_000 });
  for (const { eventId, at: when } of events) {
    assert.match(eventId, /^event_[0-9a-f]{32}$/);
    assert.ok(when instanceof Date && !Number.isNaN(when.getTime()));
  }
  return events.map(({ eventId: _id, at: _at, ...rest }) => rest).toReversed();
}

const whatOf = async (store: KeyStore, keyId?: string) =>
  (await eventsOf(store, keyId)).map(({ what }) => what);

const told = { user: 'alice', by: 'olga', reason: 'ticket 7', via: 'desk' };

export const eventContract: StoreCases = {
  'a key that is created, changed, rotated, revoked and deleted -> one event each, with who, why and by which way':
    async (store) => {
      const key = makeKey();
      const successor = successorOf(at(1_000));
      await store.insert(key, options);
      await store.update(key.keyId, { name: 'laptop' }, options);
      await store.rotate(key.keyId, successor, overlap, options);
      await store.revoke(key.keyId, at(2_000), { family: false, context });
      await store.prune(at(2_000), options);
      const { keyId } = key;
      assert.deepEqual(await eventsOf(store, keyId), [
        { what: 'created', keyId, ...told },
        { what: 'updated', keyId, ...told, changes: { name: [null, 'laptop'] } },
        {
          what: 'rotated',
          keyId,
          ...told,
          changes: {
            replacedBy: [null, successor.keyId],
            expiresAt: [null, at(6_000).toISOString()],
          },
        },
        { what: 'revoked', keyId, ...told },
        { what: 'deleted', keyId, ...told },
      ]);
      assert.deepEqual(await eventsOf(store, successor.keyId), [
        { what: 'created', keyId: successor.keyId, ...told },
      ]);
    },

  'a key that is taken over, and nobody who says who and why -> imported, and neither': async (
    store,
  ) => {
    const key = makeKey();
    await store.insert(key, { context: { via: 'cli', at: at(0), isImport: true } });
    const { keyId, user } = key;
    assert.deepEqual(await eventsOf(store), [{ what: 'imported', keyId, user, via: 'cli' }]);
  },

  'an update -> before and after of each field that changed, times as text, absent ones as null':
    async (store) => {
      const key = makeKey({ name: 'laptop', scopes: ['a'], expiresAt: at(9_000) });
      await store.insert(key);
      await store.update(key.keyId, {
        name: null,
        scopes: ['b', 'c'],
        expiresAt: at(8_000),
        metadata: { plan: 'pro' },
        user: 'bob',
      });
      await store.update(key.keyId, { expiresAt: null, scopes: ['b', 'c'] });
      const [, first, second] = await eventsOf(store, key.keyId);
      assert.deepEqual(first?.changes, {
        name: ['laptop', null],
        scopes: [['a'], ['b', 'c']],
        expiresAt: [at(9_000).toISOString(), at(8_000).toISOString()],
        metadata: [{}, { plan: 'pro' }],
        user: ['alice', 'bob'],
      });
      assert.deepEqual([first.user, second?.user], ['bob', 'bob']);
      assert.deepEqual(second?.changes, { expiresAt: [at(8_000).toISOString(), null] });
    },

  'calls that change nothing, uses, and calls that fail -> no event': async (store) => {
    const key = makeKey({ name: 'laptop', scopes: ['a'], metadata: { a: 1, b: [2] } });
    await store.insert(key);
    await store.update(key.keyId, { name: 'laptop', metadata: { b: [2], a: 1 } }, options);
    await store.update(key.keyId, {}, options);
    await store.touch([{ keyId: key.keyId, usedAt: at(500) }]);
    await rejectsWith('duplicate_key', store.insert(key, options));
    await rejectsWith('unknown_key_id', store.update('key_0000000000', { name: 'x' }, options));
    await store.rotate(key.keyId, successorOf(at(1_000)), overlap);
    await rejectsWith('already_rotated', store.update(key.keyId, { expiresAt: null }, options));
    await store.revoke(key.keyId, at(2_000), { family: false });
    await store.revoke(key.keyId, at(3_000), { family: false, context });
    assert.deepEqual(await whatOf(store, key.keyId), ['created', 'rotated', 'revoked']);
  },

  'a family -> one event for each key that is revoked now': async (store) => {
    const key = makeKey();
    const successor = successorOf(at(1_000));
    await store.insert(key);
    await store.rotate(key.keyId, successor, overlap);
    await store.revoke(key.keyId, at(2_000), { family: false });
    await store.revoke(key.keyId, at(3_000), { family: true });
    assert.deepEqual(await whatOf(store, key.keyId), ['created', 'rotated', 'revoked']);
    assert.deepEqual(await whatOf(store, successor.keyId), ['created', 'revoked']);
  },

  'a first use, or a rotation before it, that ends the key before -> updated under that key':
    async (store) => {
      for (const isUsed of [true, false]) {
        const key = makeKey();
        const [next, last] = [successorOf(at(1_000)), successorOf(at(2_000))];
        await store.insert(key);
        await store.rotate(key.keyId, next, { overlapMs: 5_000, startsAt: 'first-use' });
        if (isUsed) await store.touch([{ keyId: next.keyId, usedAt: at(2_000) }]);
        else await store.rotate(next.keyId, last, overlap);
        const events = await eventsOf(store, key.keyId);
        assert.deepEqual(
          events.map(({ what, changes }) => ({ what, changes })),
          [
            { what: 'created', changes: undefined },
            { what: 'rotated', changes: { replacedBy: [null, next.keyId] } },
            { what: 'updated', changes: { expiresAt: [null, at(7_000).toISOString()] } },
          ],
        );
      }
    },

  'twenty revocations of one key at once -> one event': async (store) => {
    const key = makeKey();
    await store.insert(key);
    await Promise.all(
      Array.from({ length: 20 }, () => store.revoke(key.keyId, at(1_000), { family: true })),
    );
    assert.deepEqual(await whatOf(store, key.keyId), ['created', 'revoked']);
  },

  'claim links that are made, used and revoked -> one event each, and none for a try that fails':
    async (store) => {
      if (!store.claims) return;
      const [used, revoked] = [makeClaim(), makeClaim()];
      for (const claim of [used, revoked]) await store.claims.insert(claim, context);
      const { keyId, digest } = generateApiKey();
      const made = { keyId, digest, createdAt: at(1_000) };
      const byClaim: ChangeContext = { via: 'claim', at: at(1_000) };
      await store.claims.take(used.tokenDigest, made, byClaim);
      await store.claims.take(used.tokenDigest, made, byClaim);
      await store.claims.revoke(revoked.claimId, at(2_000), context);
      await store.claims.revoke(revoked.claimId, at(3_000), context);
      const { claimId } = used;
      assert.deepEqual(await eventsOf(store), [
        { what: 'claim_created', claimId, ...told },
        { what: 'claim_created', claimId: revoked.claimId, ...told },
        { what: 'claimed', claimId, keyId, user: 'alice', via: 'claim' },
        { what: 'claim_revoked', claimId: revoked.claimId, ...told },
      ]);
      await store.claims.prune(at(90_000));
      assert.equal((await eventsOf(store)).length, 4);
    },

  'a key, a digest or a token in what is changed, or in who and why -> masked': async (store) => {
    const { key, digest } = generateApiKey();
    const token = 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF';
    const record = makeKey({ metadata: { old: key } });
    await store.insert(record);
    await store.update(
      record.keyId,
      { name: `was ${key}`, metadata: { list: [digest, { url: `https://x/claim#${token}` }] } },
      { context: { ...context, by: `olga ${token}`, reason: `leaked: ${key}` } },
    );
    const [, event] = await eventsOf(store, record.keyId);
    assert.deepEqual(event?.changes, {
      name: [null, `was ${secretMark}`],
      metadata: [
        { old: secretMark },
        { list: [secretMark, { url: `https://x/claim#${secretMark}` }] },
      ],
    });
    assert.deepEqual([event.by, event.reason], [`olga ${secretMark}`, `leaked: ${secretMark}`]);
  },

  'events -> newest first, of one key, of one user before and after a hand-over, in pages': async (
    store,
  ) => {
    const [key, other] = [makeKey(), makeKey({ user: 'carol' })];
    for (const each of [key, other]) await store.insert(each);
    await store.update(key.keyId, { user: 'bob' });
    for (let turn = 0; turn < 5; turn++) await store.update(key.keyId, { name: `n${turn}` });
    const events = store.events!;
    const all = await events.list({ limit: 100 });
    assert.equal(all.length, 8);
    assert.deepEqual(
      all.map(({ changes }) => changes?.name?.[1]),
      ['n4', 'n3', 'n2', 'n1', 'n0', undefined, undefined, undefined],
    );
    const counts = async (query: object) => (await events.list({ limit: 100, ...query })).length;
    assert.equal(await counts({ keyId: other.keyId }), 1);
    assert.deepEqual(
      [await counts({ user: 'alice' }), await counts({ user: 'bob' }), await counts({ user: 'x' })],
      [2, 6, 0],
    );
    const seen: string[] = [];
    for (let cursor: string | undefined; seen.length < 100; cursor = seen.at(-1)) {
      const page = await events.list({ keyId: key.keyId, limit: 3, cursor });
      if (page.length === 0) break;
      seen.push(...page.map(({ eventId }) => eventId));
    }
    const ofKey = all.filter(({ keyId }) => keyId === key.keyId);
    assert.deepEqual(
      seen,
      ofKey.map(({ eventId }) => eventId),
    );
    const unknown = `event_${'0'.repeat(32)}`;
    await rejectsWith('unknown_event_id', events.list({ limit: 1, cursor: unknown }));
  },

  'events since an instant, and pruning those before one -> from that instant on': async (
    store,
  ) => {
    const key = makeKey();
    await store.insert(key, { context: { via: 'code', at: start } });
    const events = store.events!;
    const [{ at: when }] = (await events.list({ limit: 1 })) as [KeyEvent];
    const next = new Date(when.getTime() + 1);
    assert.equal((await events.list({ since: when, limit: 10 })).length, 1);
    assert.equal((await events.list({ since: next, limit: 10 })).length, 0);
    assert.equal(await events.prune(when), 0);
    assert.equal(await events.prune(next), 1);
    assert.deepEqual(await events.list({ limit: 10 }), []);
  },
};

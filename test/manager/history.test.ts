import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  MemoryKeyStore,
  generateApiKey,
  type ApiKeyManager,
  type KeyEvent,
} from '../../src/index.js';
import { withOrigin } from '../../src/manager/change-options.js';
import { openManager } from '../support/open-manager.js';

const open = () => openManager({ store: new MemoryKeyStore() });
const who = { by: 'olga', reason: 'ticket 7' };
const what = (events: readonly KeyEvent[]) => events.map((event) => event.what);

function listen(channel: string): unknown[] {
  const seen: unknown[] = [];
  const keep = (message: unknown) => void seen.push(message);
  subscribe(channel, keep);
  onTestFinished(() => void unsubscribe(channel, keep));
  return seen;
}

/** Each method that changes something, as it is called with `by` and `reason`. */
const methods: Record<string, (keys: ApiKeyManager, options: object) => Promise<unknown>> = {
  create: (keys, options) => keys.create({ user: 'bob', ...options }),
  import: (keys, options) => keys.import({ user: 'bob', key: generateApiKey().key, ...options }),
  update: async (keys, options) => keys.update(await idOf(keys), { name: 'x', ...options }),
  rotate: async (keys, options) => keys.rotate(await idOf(keys), options),
  revoke: async (keys, options) => keys.revoke(await idOf(keys), options),
  revokeAll: (keys, options) => keys.revokeAll({ user: 'alice', ...options }),
  pause: async (keys, options) => keys.pause(await idOf(keys), options),
  resume: async (keys, options) => keys.resume(await idOf(keys), options),
  createClaim: (keys, options) => keys.createClaim({ user: 'bob', ...options }),
  revokeClaim: async (keys, options) => {
    const [claim] = await keys.listClaims();
    return keys.revokeClaim(claim!.claimId, options);
  },
};

const idOf = async (keys: ApiKeyManager) => (await keys.list({ user: 'alice' }))[0]!.keyId;

async function withKey() {
  const opened = open();
  const { record } = await opened.keys.create({ user: 'alice' });
  await opened.keys.createClaim({ user: 'alice' });
  return { ...opened, record };
}

describe('who and why', () => {
  it.each(Object.keys(methods))('%s with both -> they stand in its event', async (name) => {
    const { keys } = await withKey();
    if (name === 'resume') await keys.pause(await idOf(keys));
    await methods[name]!(keys, who);
    const [event] = await keys.history({ limit: 1 });
    expect(event).toMatchObject({ ...who, via: 'code' });
  });

  it.each(Object.keys(methods))(
    '%s with a wrong one -> an ArgumentError that names it, and nothing is changed',
    async (name) => {
      const { keys } = await withKey();
      const before = [await keys.history(), await keys.list(), await keys.listClaims()];
      for (const [option, value] of [
        ['by', ''],
        ['by', 'a'.repeat(257)],
        ['by', 'a\nb'],
        ['by', null],
        ['by', 7],
        ['reason', ''],
        ['reason', 'a'.repeat(1_001)],
        ['reason', 'a\0b'],
      ] as const) {
        const refused = methods[name]!(keys, { [option]: value });
        await expect(refused).rejects.toBeInstanceOf(TypeError);
        await expect(refused).rejects.toMatchObject({
          name: 'TypeError',
          caller: name,
          option,
          message: expect.stringContaining(`"${option}"`),
        });
      }
      expect([await keys.history(), await keys.list(), await keys.listClaims()]).toEqual(before);
    },
  );

  it('the longest of both -> taken', async () => {
    const { keys } = open();
    const longest = { by: 'é'.repeat(256), reason: 'r'.repeat(1_000) };
    await keys.create({ user: 'alice', ...longest });
    expect(await keys.history()).toMatchObject([longest]);
  });

  it('a page of ours that says how -> its way in the event and on the channel', async () => {
    const changes = listen('require-api-key:changed');
    const { keys } = open();
    const { record } = await keys.create(withOrigin({ user: 'alice', ...who }, { via: 'desk' }));
    await keys.revoke(record.keyId, withOrigin({}, { via: 'cli' }));
    expect(await keys.history()).toMatchObject([{ via: 'cli' }, { via: 'desk', by: 'olga' }]);
    const message = { keyId: record.keyId, user: 'alice', source: 'managed' };
    expect(changes).toEqual([
      { ...message, reason: 'created', by: 'olga', via: 'desk', why: 'ticket 7' },
      { ...message, reason: 'revoked', via: 'cli' },
    ]);
  });

  it('a store that keeps no events -> who and why on the channel all the same', async () => {
    const changes = listen('require-api-key:changed');
    const { keys } = openManager();
    await keys.create({ user: 'alice', ...who });
    expect(changes).toMatchObject([{ by: 'olga', why: 'ticket 7', via: 'code' }]);
    await expect(keys.history()).rejects.toMatchObject({
      name: 'KeyStoreError',
      code: 'not_supported',
    });
  });

  it('pauses, their ends, and keys that are pruned -> told on the channel', async () => {
    const changes = listen('require-api-key:changed');
    const { keys, clock } = open();
    const { record } = await keys.create({ user: 'alice' });
    await keys.pause(record.keyId, who);
    await keys.resume(record.keyId);
    await keys.revokeAll({ user: 'alice', by: 'olga' });
    clock.move(1_000);
    await keys.prune({ olderThanMs: 1 });
    const told = changes.map((each) => (each as { reason: string }).reason);
    expect(told).toEqual(['created', 'paused', 'resumed', 'revoked', 'deleted']);
    expect(changes[1]).toMatchObject({ by: 'olga', why: 'ticket 7', via: 'code' });
  });
});

describe('history', () => {
  it('of one key, of one user, since an instant, page by page -> newest first', async () => {
    const { keys, clock } = open();
    const { record } = await keys.create({ user: 'alice' });
    clock.move(1_000);
    await keys.update(record.keyId, { user: 'bob' });
    const { record: other } = await keys.create({ user: 'carol' });
    expect(what(await keys.history())).toEqual(['created', 'updated', 'created']);
    expect(what(await keys.history({ keyId: record.keyId }))).toEqual(['updated', 'created']);
    expect(what(await keys.history({ user: 'alice' }))).toEqual(['updated', 'created']);
    expect(what(await keys.history({ user: 'bob' }))).toEqual(['updated']);
    const late = await keys.history({ since: clock.at(0) });
    expect(late.map(({ keyId }) => keyId)).toEqual([other.keyId, record.keyId]);
    const [first] = await keys.history({ limit: 1 });
    expect(what(await keys.history({ cursor: first!.eventId }))).toEqual(['updated', 'created']);
    await expect(keys.history({ cursor: 'event_0' })).rejects.toMatchObject({
      code: 'unknown_event_id',
    });
  });

  it('a claim -> one event with key id and claim id, by way of the claim', async () => {
    const { keys, clock } = open();
    const { token, claim } = await keys.createClaim({ user: 'alice', ...who });
    const { record } = await keys.claim(token);
    expect(await keys.history()).toEqual([
      {
        eventId: expect.stringMatching(/^event_[0-9a-f]{32}$/),
        at: clock.at(0),
        what: 'claimed',
        keyId: record.keyId,
        claimId: claim.claimId,
        user: 'alice',
        via: 'claim',
      },
      expect.objectContaining({ what: 'claim_created', claimId: claim.claimId, ...who }),
    ]);
  });

  it.each([
    ['limit of 0', { limit: 0 }, RangeError],
    ['limit of 1 001', { limit: 1_001 }, RangeError],
    ['since as text', { since: '7d' }, TypeError],
    ['a key id that is none', { keyId: 7 }, TypeError],
    ['an unknown option', { key: 'x' }, TypeError],
  ])('%s -> refused', async (_what, options, type) => {
    await expect(open().keys.history(options as never)).rejects.toBeInstanceOf(type);
  });

  it('prune -> keeps events unless it is asked, and counts of 400 days', async () => {
    const { keys, clock, store } = open();
    const day = 24 * 3_600_000;
    const { key } = await keys.create({ user: 'alice' });
    await keys.verify(key);
    await keys.close();
    clock.move(400 * day);
    await keys.prune({ olderThanMs: 0 });
    const all = { from: '2029-01-01', to: '2031-12-31' };
    expect(await store.usage.list(all)).toHaveLength(1);
    clock.move(day);
    await keys.prune({ olderThanMs: 0 });
    expect(await store.usage.list(all)).toEqual([]);
    expect(what(await keys.history())).toEqual(['created']);
    await keys.prune({ olderThanMs: 0, eventsOlderThanMs: 402 * day });
    expect(what(await keys.history())).toEqual(['created']);
    await keys.prune({ olderThanMs: 0, eventsOlderThanMs: 400 * day });
    expect(await keys.history()).toEqual([]);
  });
});

import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MemoryKeyStore, generateApiKey, requireApiKey, type KeyUsage } from '../../src/index.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { openManager } from '../support/open-manager.js';
import { collectWarnings } from '../support/warnings.js';

const warnings = collectWarnings();
const day = 24 * 3_600_000;

/** A real store that notes what it is given to add, and can be made to fail. */
function countedStore() {
  const store = new MemoryKeyStore();
  const { usage } = store;
  const seen = { added: [] as KeyUsage[][], before: async () => {} };
  const add = async (counts: readonly KeyUsage[]) => {
    seen.added.push([...counts]);
    await seen.before();
    await usage.add(counts);
  };
  const counted = { add, list: usage.list.bind(usage), prune: usage.prune.bind(usage) };
  return { store: Object.assign(store, { usage: counted }), seen };
}

function open(options: object = {}) {
  const { store, seen } = countedStore();
  return { ...openManager({ store, ...options }), seen };
}

const counts = (usage: readonly KeyUsage[]) =>
  usage.map((each) => [each.day, each.user, each.admitted, each.refused]);

describe('uses per day', () => {
  it('admissions and refusals for reasons of the key -> counted; those of strangers, not', async () => {
    const { keys, clock } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    for (let use = 0; use < 3; use++) await keys.verify(key);
    await keys.pause(record.keyId);
    await keys.verify(key);
    await keys.resume(record.keyId);
    await keys.update(record.keyId, { allowedAddresses: ['203.0.113.7'] });
    await keys.verify(key);
    await keys.update(record.keyId, { expiresAt: clock.at(0) });
    await keys.verify(key);
    await keys.revoke(record.keyId);
    await keys.verify(key);
    await keys.verify(generateApiKey().key);
    await keys.verify('nonsense');
    await keys.close();
    expect(await keys.usage()).toEqual([
      { day: '2030-01-01', keyId: record.keyId, user: 'alice', admitted: 3, refused: 4 },
    ]);
  });

  it('what a guard refuses for its scopes -> was admitted here', async () => {
    const { keys } = open();
    const { key } = await keys.create({ user: 'alice' });
    const guard = requireApiKey({ source: keys, scopes: ['b'] });
    const app = await guardedApp(expressVersions[0]!.express, { guard });
    expect((await app.get({ 'X-API-Key': key })).status).toBe(403);
    await keys.close();
    expect(counts(await keys.usage())).toEqual([['2030-01-01', 'alice', 1, 0]]);
  });

  it('uses before and after midnight in UTC -> each on its day, also if the clock is set back', async () => {
    const { keys, clock } = open();
    const { key } = await keys.create({ user: 'alice' });
    clock.move(day - 1);
    await keys.verify(key);
    clock.move(1);
    await keys.verify(key);
    await keys.verify(key);
    clock.move(-1);
    await keys.verify(key);
    clock.move(2 * day);
    await keys.verify(key);
    await keys.close();
    expect(counts(await keys.usage())).toEqual([
      ['2030-01-01', 'alice', 2, 0],
      ['2030-01-02', 'alice', 2, 0],
      ['2030-01-03', 'alice', 1, 0],
    ]);
  });

  it('many uses of many keys -> one statement a flush, sorted by key id, and none a request', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { keys, seen } = open({ lastUsedIntervalMs: 1_000 });
    const made = await Promise.all(Array.from({ length: 20 }, () => keys.create({ user: 'a' })));
    for (let use = 0; use < 5; use++) for (const { key } of made) await keys.verify(key);
    expect(seen.added).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seen.added).toHaveLength(1);
    const ids = seen.added[0]!.map(({ keyId }) => keyId);
    expect(ids).toEqual(ids.toSorted());
    expect(seen.added[0]!.map(({ admitted }) => admitted)).toEqual(made.map(() => 5));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen.added).toHaveLength(1);
  });

  it('only refusals -> written too, within the interval', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { keys, seen } = open({ lastUsedIntervalMs: 1_000 });
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.revoke(record.keyId);
    await keys.verify(key);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(counts(seen.added.flat())).toEqual([['2030-01-01', 'alice', 0, 1]]);
  });

  it('a key that is looked up anew in between -> no use is lost or counted twice', async () => {
    const { keys, seen } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    for (let turn = 0; turn < 5; turn++) {
      await keys.verify(key);
      await keys.update(record.keyId, { name: `n${turn}`, user: `u${turn}` });
    }
    await keys.verify(key);
    await keys.close();
    expect(counts(await keys.usage())).toEqual([['2030-01-01', 'u4', 6, 0]]);
    expect(seen.added).toHaveLength(1);
  });

  it('a first use that waits to be written -> every use around it is counted', async () => {
    const { keys } = open({ lastUsedIntervalMs: 1 });
    const { record } = await keys.create({ user: 'alice' });
    const { key } = await keys.rotate(record.keyId, { overlapMs: 1_000, startsAt: 'first-use' });
    for (let use = 0; use < 50; use++) {
      await keys.verify(key);
      if (use % 10 === 0) await new Promise((resolve) => void setTimeout(resolve, 2));
    }
    await keys.close();
    expect(counts(await keys.usage())).toEqual([['2030-01-01', 'alice', 50, 0]]);
  });

  it('counts that cannot be written -> one warning, last uses are written, and nothing is lost', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const mark = warnings.mark();
    const { keys, seen, clock } = open({ lastUsedIntervalMs: 1_000 });
    const { key, record } = await keys.create({ user: 'alice' });
    seen.before = () => Promise.reject(new Error(`permission denied for ${key}`));
    await keys.verify(key);
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await keys.get(record.keyId))?.lastUsedAt).toEqual(clock.at(0));
    clock.move(day);
    await keys.verify(key);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seen.added).toHaveLength(2);
    seen.before = async () => {};
    await vi.advanceTimersByTimeAsync(1_000);
    expect(counts(await keys.usage())).toEqual([
      ['2030-01-01', 'alice', 1, 0],
      ['2030-01-02', 'alice', 1, 0],
    ]);
    vi.useRealTimers();
    const told = (await warnings.since(mark)).filter((each) => each.includes('uses per day'));
    expect(told).toHaveLength(1);
    expect(told[0]).not.toContain(key);
  });

  it('a store that is busy while the manager closes -> asked again, and every use is counted', async () => {
    const { keys, store, seen, clock } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    const touch = store.touch.bind(store);
    store.touch = () => Promise.reject(new Error('database is locked'));
    seen.before = async () => {
      if (seen.added.length < 3) throw new Error('database is locked');
      store.touch = touch;
    };
    await keys.verify(key);
    await keys.close();
    expect(seen.added).toHaveLength(3);
    expect(counts(await keys.usage())).toEqual([['2030-01-01', 'alice', 1, 0]]);
    expect((await keys.get(record.keyId))?.lastUsedAt).toEqual(clock.at(0));
  });

  it('a store that fails while the manager closes -> asked a few times, and the manager is closed', async () => {
    const { keys, seen } = open();
    seen.before = () => Promise.reject(new Error('down'));
    await keys.verify((await keys.create({ user: 'alice' })).key);
    await keys.close();
    expect(seen.added).toHaveLength(6);
  });

  it('more keys than are kept while the store fails -> memory stays bounded', async () => {
    const { keys, store, seen } = open({ lastUsedIntervalMs: day });
    const found = (await store.findByDigest((await made(keys)).digest))!;
    seen.before = () => Promise.reject(new Error('down'));
    let ids = 0;
    store.findByDigest = async (digest) => ({ ...found, digest, keyId: `key_${ids++}` });
    for (let key = 0; key < 10_200; key++) await keys.verify(generateApiKey().key);
    seen.before = async () => {};
    await keys.close();
    expect(seen.added.at(-1)!.length).toBeLessThanOrEqual(10_000);
  });

  it('countUses: false -> nothing is counted', async () => {
    const { keys, seen } = open({ countUses: false });
    const { key } = await keys.create({ user: 'alice' });
    await keys.verify(key);
    await keys.close();
    expect(seen.added).toEqual([]);
    expect(await keys.usage()).toEqual([]);
  });
});

const made = async (keys: ReturnType<typeof open>['keys']) => {
  const { key, digest } = generateApiKey();
  await keys.import({ user: 'alice', key });
  return { digest };
};

describe('usage', () => {
  it('without days -> the last 30, today included; with one of them, counted from it', async () => {
    const { keys, store } = open();
    const days = ['2029-12-02', '2029-12-03', '2030-01-01', '2030-01-02'];
    const keyId = 'key_0000000000';
    await store.usage.add(days.map((each) => ({ ...count, day: each, keyId })));
    const daysOf = async (options?: object) => (await keys.usage(options)).map((each) => each.day);
    expect(await daysOf()).toEqual(days.slice(1, 3));
    expect(await daysOf({ to: '2029-12-31' })).toEqual(days.slice(0, 2));
    expect(await daysOf({ from: '2029-12-02' })).toEqual(days.slice(0, 3));
    expect(await daysOf({ user: 'bob' })).toEqual([]);
    expect(await daysOf({ keyId })).toEqual(days.slice(1, 3));
  });

  it('366 days -> taken, one more -> refused', async () => {
    const { keys } = open();
    await keys.usage({ from: '2028-01-01', to: '2028-12-31' });
    const refused = keys.usage({ from: '2028-01-01', to: '2029-01-01' });
    await expect(refused).rejects.toBeInstanceOf(RangeError);
  });

  it.each([
    ['a day after the last', { from: '2030-01-02', to: '2030-01-01' }, 'from', RangeError],
    ['a Date', { from: new Date() }, 'from', TypeError],
    ['a time', { to: '2030-01-01T00:00:00Z' }, 'to', TypeError],
    ['a day that there is not', { to: '2030-02-30' }, 'to', TypeError],
    ['no day', { to: '' }, 'to', TypeError],
    ['null', { from: null }, 'from', TypeError],
  ])('%s -> refused by name', async (_what, options, name, type) => {
    const refused = open().keys.usage(options as never);
    await expect(refused).rejects.toBeInstanceOf(type);
    await expect(refused).rejects.toMatchObject({ option: name });
  });
});

const count = { user: 'alice', admitted: 1, refused: 0 };

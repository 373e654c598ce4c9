import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestApiKey, requireApiKey, type ApiKeyManagerOptions } from '../../src/index.js';
import { CountingStore, unwatched } from '../support/counting-store.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { down, openManager } from '../support/open-manager.js';

const hourMs = 3_600_000;
const { express } = expressVersions[0]!;

/**
 * Time that passes moves both clocks; a clock that is set moves `Date` and the manager's `now`, and
 * nothing else.
 */
function open(options: Partial<ApiKeyManagerOptions> & { store?: CountingStore } = {}) {
  const opened = openManager({ ...options, now: () => Date.now() });
  return {
    ...opened,
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
    set: (byMs: number) => void vi.setSystemTime(Date.now() + byMs),
    at: (ms: number) => new Date(Date.now() + ms),
  };
}

const useFakeClocks = () => {
  vi.useFakeTimers({
    now: Date.UTC(2030, 0, 1),
    toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'],
  });
  onTestFinished(() => void vi.useRealTimers());
};

const jumps = [
  ['back by hours', -5 * hourMs],
  // Less than has passed since a key was confirmed: by that clock alone the key would seem young.
  ['back by half a minute', -30_000],
  ['forward by hours', 5 * hourMs],
] as const;

describe.each(jumps)('a clock that is set %s', (_how, byMs) => {
  beforeEach(useFakeClocks);

  it('a revoked key -> stays revoked, with the store up and with it down', async () => {
    const { keys, store, codeOf, set } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    await keys.revoke(record.keyId);
    set(byMs);
    expect(await codeOf(key)).toBe('revoked_api_key');
    store.before = down;
    store.watcher!.disconnected();
    set(byMs);
    await expect(codeOf(key).catch(() => 'failed')).resolves.toMatch(/^(revoked_api_key|failed)$/);
    set(-2 * byMs);
    await expect(codeOf(key).catch(() => 'failed')).resolves.toMatch(/^(revoked_api_key|failed)$/);
  });

  it('a key that is revoked while the clock is wrong -> refused from the next request on, and after the clock is mended', async () => {
    const { keys, codeOf, set } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    set(byMs);
    expect(await codeOf(key)).toBe('admitted');
    await keys.revoke(record.keyId);
    expect(await codeOf(key)).toBe('revoked_api_key');
    set(-byMs);
    expect(await codeOf(key)).toBe('revoked_api_key');
  });

  it('an outage -> no key is admitted past staleIfErrorMs of time that has really passed', async () => {
    const { keys, store, codeOf, pass, set } = open({
      store: unwatched(new CountingStore()),
      staleIfErrorMs: 60_000,
    });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = down;
    await pass(59_000);
    set(byMs);
    await pass(1_000);
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
    set(-byMs);
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
  });

  it('a store that announces nothing -> a change elsewhere is seen within cacheTtlMs that have really passed', async () => {
    const { keys, store, codeOf, pass, set } = open({
      store: unwatched(new CountingStore()),
      cacheTtlMs: 30_000,
    });
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    await store.inner.revoke(record.keyId, new Date(), { family: false });
    await pass(29_000);
    set(byMs);
    await pass(1_000);
    expect(await codeOf(key)).toBe('revoked_api_key');
  });

  it('a store that was slow to fail -> is tried again a second later', async () => {
    const { keys, store, codeOf, pass, set } = open({ store: unwatched(new CountingStore()) });
    const { key } = await keys.create({ user: 'alice' });
    store.before = () =>
      new Promise((_resolve, reject) => void setTimeout(reject, 100, new Error('no answer')));
    const failing = expect(codeOf(key)).rejects.toThrow('the key store failed');
    await pass(100);
    await failing;
    store.before = () => {};
    set(byMs);
    await expect(codeOf(key)).rejects.toThrow('failed a moment ago');
    await pass(1_000);
    expect(await codeOf(key)).toBe('admitted');
  });

  it('many requests for one cold key, and its store slow -> one query, no request hangs', async () => {
    const { keys, store, codeOf, pass, set } = open({ store: unwatched(new CountingStore()) });
    const { key } = await keys.create({ user: 'alice' });
    store.before = () => new Promise(() => {});
    const outcomes = Promise.all(
      Array.from({ length: 20 }, () => codeOf(key).catch(() => 'failed')),
    );
    set(byMs);
    await pass(10_000);
    expect(new Set(await outcomes)).toEqual(new Set(['failed']));
    expect(store.lookups).toBe(1);
  });

  it('last uses -> written an interval later all the same, and never put back', async () => {
    const { keys, store, codeOf, pass, set } = open({ lastUsedIntervalMs: 60_000 });
    const { key, record } = await keys.create({ user: 'alice' });
    await codeOf(key);
    await pass(1_000);
    expect(store.touches).toHaveLength(1);
    const { lastUsedAt } = (await keys.get(record.keyId))!;
    set(byMs);
    await codeOf(key);
    await pass(60_000);
    expect(store.touches).toHaveLength(2);
    const after = (await keys.get(record.keyId))!.lastUsedAt!;
    expect(after.getTime()).toBe(
      Math.max(lastUsedAt!.getTime(), lastUsedAt!.getTime() + 1_000 + byMs),
    );
    await keys.close();
  });

  it('a source that does not answer -> 503 after timeoutMs that have really passed', async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['Date'] });
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => said.mockRestore());
    const guard = requireApiKey({ source: () => new Promise(() => {}), timeoutMs: 100 });
    const app = await guardedApp(express, { guard });
    const startedAt = performance.now();
    const answer = app.raw(['X-API-Key: some-key']);
    vi.setSystemTime(Date.now() + byMs);
    expect(await answer).toMatchObject({ status: 503, handlerRuns: 0 });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe('a clock that is set forward by hours, and mended', () => {
  beforeEach(useFakeClocks);

  it('a key that ends meanwhile -> expired at once, to the millisecond of that clock', async () => {
    const { keys, codeOf, set, at } = open();
    const { key } = await keys.create({ user: 'alice', expiresAt: at(hourMs) });
    expect(await codeOf(key)).toBe('admitted');
    set(hourMs - 1);
    expect(await codeOf(key)).toBe('admitted');
    set(1);
    expect(await codeOf(key)).toBe('expired_api_key');
  });

  it('an outage -> a warm key waits for the store rather than being trusted, and is known again when it is back', async () => {
    const { keys, store, codeOf, pass, set } = open({ store: unwatched(new CountingStore()) });
    const { key } = await keys.create({ user: 'alice' });
    await codeOf(key);
    store.before = down;
    set(5 * hourMs);
    await expect(codeOf(key)).rejects.toThrow('the key store failed');
    set(-5 * hourMs);
    store.before = () => {};
    await pass(1_000);
    expect(await codeOf(key)).toBe('admitted');
  });

  it('a key that is rotated meanwhile -> ends when that clock said, not before and not never', async () => {
    const { keys, codeOf, set, pass } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    set(5 * hourMs);
    const rotated = await keys.rotate(record.keyId, { overlapMs: 60_000 });
    expect([await codeOf(key), await codeOf(rotated.key)]).toEqual(['admitted', 'admitted']);
    set(-5 * hourMs);
    await pass(5 * hourMs + 59_999);
    expect(await codeOf(key)).toBe('admitted');
    await pass(1);
    expect([await codeOf(key), await codeOf(rotated.key)]).toEqual(['expired_api_key', 'admitted']);
  });
});

describe('a clock that is set back by hours', () => {
  beforeEach(useFakeClocks);

  it('a key that was made after that -> admitted, and what the store knows of it counts', async () => {
    const { keys, store, codeOf, set } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    set(-5 * hourMs);
    expect(await codeOf(key)).toBe('admitted');
    expect(
      (await store.inner.findByDigest(digestApiKey(key)))?.createdAt.getTime(),
    ).toBeGreaterThan(Date.now());
    await keys.revoke(record.keyId);
    expect(await codeOf(key)).toBe('revoked_api_key');
  });
});

it('a clock that is set back and forward -> faults are logged once a minute that has really passed', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => said.mockRestore());
  const guard = requireApiKey({ source: () => Promise.reject(new Error('down')) });
  const app = await guardedApp(express, { guard });
  const fail = () => app.raw(['X-API-Key: some-key']);
  vi.advanceTimersByTime(hourMs);
  await fail();
  for (const [round, byMs] of [-5 * hourMs, 10 * hourMs].entries()) {
    vi.setSystemTime(Date.now() + byMs);
    await fail();
    expect(said).toHaveBeenCalledTimes(1 + round);
    vi.advanceTimersByTime(60_000);
    await fail();
    expect(said).toHaveBeenCalledTimes(2 + round);
  }
});

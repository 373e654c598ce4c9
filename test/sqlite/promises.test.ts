import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, generateApiKey, type ApiKeyManagerOptions } from '../../src/index.js';
import { SqliteKeyStore, type SqliteDatabase } from '../../src/sqlite.js';
import { Clock } from '../support/counting-store.js';
import { startGuardedProcess, type GuardedProcess } from '../support/start-guarded-process.js';
import { byHand, createPath, look, openDatabase, openStore } from '../support/sqlite.js';

type Options = Omit<ApiKeyManagerOptions, 'store'>;

/** A file, a manager on it in this process, and as many guarded servers on it as are wanted. */
async function open({ processes = 0, manager = {} }: { processes?: number; manager?: Options }) {
  const path = createPath();
  const keys = new ApiKeyManager({ store: await openStore(path), ...manager });
  onTestFinished(() => keys.close());
  const start = () => startGuardedProcess({ file: path, manager });
  const others = await Promise.all(Array.from({ length: processes }, start));
  return { path, keys, others, other: others[0]! };
}

const codeOf = async (keys: ApiKeyManager, key: string) => {
  const result = await keys.verify(key);
  return result.ok ? 'admitted' : result.code;
};

/**
 * Until a process answers so. The limit is far below `cacheTtlMs`, and generous to a busy machine:
 * test/sqlite/processes.test.ts measures the second.
 */
const until = (each: GuardedProcess, key: string, code: string) =>
  vi.waitFor(async () => expect((await each.ask(key)).code).toBe(code), {
    timeout: 10_000,
    interval: 10,
  });

/** A manager whose look-ups by digest are counted where they reach the driver. */
async function openCounted(options: Options = {}) {
  const database = openDatabase(createPath()) as SqliteDatabase & { close(): void };
  const counted = { lookups: 0 };
  const prepare = database.prepare.bind(database);
  database.prepare = (sql) => {
    const statement = prepare(sql);
    if (!/k\.digest = \?/.test(sql)) return statement;
    const all = statement.all.bind(statement);
    statement.all = (...values) => {
      counted.lookups++;
      return all(...values);
    };
    return statement;
  };
  const store = new SqliteKeyStore({ database });
  await store.migrate();
  const keys = new ApiKeyManager({ store, ...options });
  onTestFinished(async () => {
    await keys.close();
    database.close();
  });
  return { keys, counted };
}

// Starting a process takes seconds on a busy machine.
describe('what is promised, on SQLite', { timeout: 90_000 }, () => {
  it('a change seen in the same process -> next request', async () => {
    const { keys } = await open({});
    const { key, record } = await keys.create({ user: 'alice' });
    const { keyId } = record;
    expect(await codeOf(keys, key)).toBe('admitted');
    await keys.pause(keyId);
    expect(await codeOf(keys, key)).toBe('paused_api_key');
    await keys.resume(keyId);
    expect(await codeOf(keys, key)).toBe('admitted');
    const next = await keys.rotate(keyId, { overlapMs: 0 });
    expect(await codeOf(keys, key)).toBe('expired_api_key');
    expect(await codeOf(keys, next.key)).toBe('admitted');
    await keys.revoke(next.record.keyId);
    expect(await codeOf(keys, next.key)).toBe('revoked_api_key');
  });

  it('... in every other process on the same file -> seen, also if the row was changed by hand', async () => {
    const { path, keys, others } = await open({ processes: 2 });
    const everywhere = (key: string, code: string) =>
      Promise.all(others.map((each) => until(each, key, code)));
    const { key, record } = await keys.create({ user: 'alice' });
    const { keyId } = record;
    await everywhere(key, 'admitted');
    await keys.pause(keyId);
    await everywhere(key, 'paused_api_key');
    await keys.resume(keyId);
    await everywhere(key, 'admitted');
    const next = await keys.rotate(keyId, { overlapMs: 0 });
    await everywhere(key, 'expired_api_key');
    await everywhere(next.key, 'admitted');
    byHand(path, `update api_keys set paused_at = datetime('now') where revoked_at is null`);
    await everywhere(next.key, 'paused_api_key');
    byHand(path, `update api_keys set revoked_at = datetime('now')`);
    await everywhere(next.key, 'revoked_api_key');
  });

  it('expiry, end of a pause -> exact, also on a cached key', async () => {
    const clock = new Clock();
    const { keys } = await open({ manager: { now: clock.now } });
    const ends = await keys.create({ user: 'alice', expiresAt: clock.at(5_000) });
    const paused = await keys.create({ user: 'bob' });
    await keys.pause(paused.record.keyId, { until: clock.at(5_000) });
    clock.move(4_999);
    expect(await codeOf(keys, ends.key)).toBe('admitted');
    expect(await codeOf(keys, paused.key)).toBe('paused_api_key');
    clock.move(1);
    expect(await codeOf(keys, ends.key)).toBe('expired_api_key');
    expect(await codeOf(keys, paused.key)).toBe('admitted');
  });

  it('queries: warm -> 0; many requests with one cold key -> 1; a key that does not parse -> 0', async () => {
    const { keys, counted } = await openCounted();
    const { key } = await keys.create({ user: 'alice' });
    await Promise.all(Array.from({ length: 100 }, () => keys.verify(key)));
    expect(counted.lookups).toBe(1);
    for (let turn = 0; turn < 100; turn++) await keys.verify(key);
    expect(counted.lookups).toBe(1);
    expect(await codeOf(keys, `${key}x`)).toBe('invalid_api_key');
    expect(counted.lookups).toBe(1);
  });

  it('memory -> at most maxCachedKeys known keys; unknown ones never push them out', async () => {
    const { keys, counted } = await openCounted({ maxCachedKeys: 3 });
    const made = await Promise.all(
      Array.from({ length: 4 }, (_, index) => keys.create({ user: `user-${index}` })),
    );
    for (const { key } of made.slice(0, 3)) await keys.verify(key);
    for (let turn = 0; turn < 20; turn++) await keys.verify(generateApiKey().key);
    expect(counted.lookups).toBe(23);
    for (const { key } of made.slice(0, 3)) await keys.verify(key);
    expect(counted.lookups).toBe(23);
    for (const { key } of made) await keys.verify(key);
    expect(counted.lookups).toBeGreaterThan(23);
  });

  it('store down: cold key -> 503 with Retry-After, warm key -> admitted up to staleIfErrorMs, then 503; store back -> recovers by itself', async () => {
    const { path, keys, other } = await open({
      processes: 1,
      manager: { staleIfErrorMs: 6_000, cacheTtlMs: 100 },
    });
    const [warm, cold] = [await keys.create({ user: 'alice' }), await keys.create({ user: 'bob' })];
    await until(other, warm.key, 'admitted');
    renameSync(path, `${path}-away`);
    // Until the other process has looked whether the file is there.
    while ((await other.ask(generateApiKey().key)).status !== 503) await delay(20);
    expect((await other.ask(warm.key)).code).toBe('admitted');
    const refused = await other.ask(cold.key);
    expect(refused).toMatchObject({ status: 503, code: 'key_source_failed', retryAfter: '5' });
    await until(other, warm.key, 'key_source_failed');
    renameSync(`${path}-away`, path);
    await until(other, cold.key, 'admitted');
    await until(other, warm.key, 'admitted');
    const { exitCode, output } = await other.close();
    expect(exitCode).toBe(0);
    for (const { key } of [warm, cold]) expect(output).not.toContain(key);
  });

  it('lastUsedAt -> near the truth from several processes, never backwards; a file that is locked fails no request', async () => {
    const { path, keys, others } = await open({
      processes: 2,
      manager: { lastUsedIntervalMs: 50 },
    });
    const { key, record } = await keys.create({ user: 'alice' });
    const usedAt = async () => (await keys.get(record.keyId))?.lastUsedAt?.getTime() ?? 0;
    const startedAt = Date.now();
    let latest = 0;
    for (let turn = 0; turn < 20; turn++) {
      for (const each of others) expect((await each.ask(key)).code).toBe('admitted');
      const now = await usedAt();
      expect(now).toBeGreaterThanOrEqual(latest);
      latest = now;
    }
    const holder = openDatabase(path) as SqliteDatabase & { close(): void };
    holder.exec('pragma busy_timeout = 10000; begin immediate');
    const lockedAt = Date.now();
    for (let turn = 0; turn < 10; turn++) {
      for (const each of others) expect((await each.ask(key)).code).toBe('admitted');
      await delay(20);
    }
    holder.exec('rollback');
    holder.close();
    const endedAt = Date.now();
    for (const each of others) expect((await each.close()).exitCode).toBe(0);
    expect(latest).toBeGreaterThanOrEqual(startedAt);
    expect(await usedAt()).toBeGreaterThanOrEqual(lockedAt);
    expect(await usedAt()).toBeLessThanOrEqual(endedAt);
    // It touches nothing but itself.
    expect((await keys.history()).map(({ what }) => what)).toEqual(['created']);
  });

  it('a rotated key used after its deadline -> refused, and reported as reuse', async () => {
    const { keys } = await open({});
    const { key, record } = await keys.create({ user: 'alice' });
    const next = await keys.rotate(record.keyId, { overlapMs: 0 });
    expect(await codeOf(keys, next.key)).toBe('admitted');
    const reported: unknown[] = [];
    const listener = (message: unknown) => void reported.push(message);
    subscribe('require-api-key:reuse', listener);
    onTestFinished(() => void unsubscribe('require-api-key:reuse', listener));
    expect(await codeOf(keys, key)).toBe('expired_api_key');
    expect(reported).toMatchObject([{ keyId: record.keyId, user: 'alice' }]);
  });

  it('a record broken by hand -> keeps out its own key and no other, in every process', async () => {
    const { path, keys, other } = await open({ processes: 1 });
    const [broken, good] = [await keys.create({ user: 'a' }), await keys.create({ user: 'b' })];
    await until(other, broken.key, 'admitted');
    byHand(
      path,
      `pragma ignore_check_constraints = on;
        update api_keys set scopes = 'no json', expires_at = 'soon' where user_name = 'a'`,
    );
    await until(other, broken.key, 'key_source_failed');
    expect((await other.ask(good.key)).code).toBe('admitted');
    await expect(keys.verify(broken.key)).rejects.toThrow();
    expect(await codeOf(keys, good.key)).toBe('admitted');
  });

  it('each change, however it is made -> exactly one event, and none for uses', async () => {
    const { path, keys, other } = await open({ processes: 1 });
    const second = new ApiKeyManager({ store: await openStore(path) });
    onTestFinished(() => second.close());
    const { key, record } = await keys.create({ user: 'alice' });
    const { keyId } = record;
    await until(other, key, 'admitted');
    await Promise.all([keys.revoke(keyId), second.revoke(keyId), keys.revoke(keyId)]);
    byHand(path, `update api_keys set revoked_at = revoked_at, last_used_at = datetime('now')`);
    byHand(path, `update api_keys set name = 'laptop'`);
    await other.close();
    const events = look(
      path,
      `select what || ' ' || via as told from api_keys_events order by seq`,
    );
    expect(events.map(({ told }) => told)).toEqual(['created code', 'revoked code', 'updated sql']);
  });
});

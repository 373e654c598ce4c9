import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import type { SqliteKeyStore } from '../../src/sqlite.js';
import { storedKey, successor } from '../support/stored-key.js';
import { byHand, createPath, openDatabase, openStore } from '../support/sqlite.js';
import { recordingWatcher } from '../support/watcher.js';

async function watched(store: SqliteKeyStore) {
  const watcher = recordingWatcher();
  const watch = store.watch(watcher);
  onTestFinished(() => watch.close());
  await watcher.until('connected');
  return watcher;
}

describe('a watch of a SQLite file', () => {
  it('changes by hand of several keys, a use among them -> each once, and not the use', async () => {
    const path = createPath();
    const store = await openStore(path, { pollMs: 50 });
    const [used, changed, deleted] = [storedKey(), storedKey(), storedKey()];
    for (const key of [used, changed, deleted]) await store.insert(key);
    const watcher = await watched(store);
    byHand(
      path,
      `update api_keys set last_used_at = datetime('now') where key_id = '${used.keyId}';
        update api_keys set name = 'a' where key_id = '${changed.keyId}';
        update api_keys set name = 'b' where key_id = '${changed.keyId}';
        delete from api_keys where key_id = '${deleted.keyId}'`,
    );
    await watcher.until(`changed ${deleted.keyId}`);
    expect(new Set(watcher.changes)).toEqual(new Set([changed.keyId, deleted.keyId]));
    await watcher.until('alive');
  });

  it('a trigger that is dropped -> disconnected until migrate, and nothing is trusted for long', async () => {
    const path = createPath();
    const store = await openStore(path, { pollMs: 20 });
    const watcher = await watched(store);
    byHand(path, 'drop trigger api_keys_announce_update');
    await watcher.until('disconnected');
    await store.migrate();
    await watcher.until('connected', 2);
  });

  it('a trigger that is gone for a moment -> connected anew, as changes may have been missed', async () => {
    const path = createPath();
    const store = await openStore(path, { pollMs: 200 });
    const watcher = await watched(store);
    const other = await openStore(path);
    byHand(path, 'drop trigger api_keys_announce_update');
    await other.migrate();
    await watcher.until('connected', 2);
    expect(watcher.told.filter((each) => each !== 'alive')).toEqual([
      'connected',
      'disconnected',
      'connected',
    ]);
  });

  it('more changes than are kept -> any key may have changed', async () => {
    const path = createPath();
    const store = await openStore(path, { pollMs: 500 });
    const watcher = await watched(store);
    byHand(
      path,
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < 10500)
        insert into api_keys (key_id, user_name, digest)
        select 'key_' || i, 'alice', printf('sha256:%064x', i) from n`,
    );
    await watcher.until('changed ');
    expect(watcher.changes).toEqual(['']);
  });

  it('a file that has no tables yet -> connected once they are there', async () => {
    const path = createPath();
    byHand(path, 'create table notes (text)');
    const { SqliteKeyStore: Store } = await import('../../src/sqlite.js');
    const store = await Store.open(path, { pollMs: 20 });
    onTestFinished(() => store.close());
    const watcher = recordingWatcher();
    const watch = store.watch(watcher);
    onTestFinished(() => watch.close());
    await delay(100);
    expect(watcher.told).toEqual([]);
    await store.migrate();
    await watcher.until('connected');
  });
});

describe('a lock that another connection holds', () => {
  async function locked(busyTimeoutMs: number) {
    const path = createPath();
    const store = await openStore(path, { busyTimeoutMs });
    const key = storedKey();
    await store.insert(key);
    const other = openDatabase(path);
    other.exec('begin immediate');
    return { path, store, key, other };
  }

  it('a change -> waits, while look-ups are answered and timers run; then it is made', async () => {
    const { store, key, other } = await locked(10_000);
    const revoked = store.revoke(key.keyId, new Date(), { family: false });
    let longestMs = 0;
    for (let turn = 0, before = performance.now(); turn < 40; turn++) {
      await delay(5);
      expect((await store.findByDigest(key.digest))?.revokedAt).toBeUndefined();
      longestMs = Math.max(longestMs, performance.now() - before - 5);
      before = performance.now();
    }
    // Far less than the 10 s that the database is waited for.
    expect(longestMs).toBeLessThan(3_000);
    other.exec('rollback');
    expect((await revoked)[0]?.revokedAt).toBeDefined();
  });

  it('a change for longer than busyTimeoutMs -> rejects with a clear error, nothing changed', async () => {
    const { store, key, other } = await locked(200);
    const startedAt = performance.now();
    const many = Array.from({ length: 10 }, () =>
      store.revoke(key.keyId, new Date(), { family: false }),
    );
    for (const outcome of await Promise.allSettled(many))
      expect(String((outcome as PromiseRejectedResult).reason)).toMatch(
        /keys\.db stayed locked by another connection/,
      );
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    other.exec('rollback');
    expect((await store.get(key.keyId))?.revokedAt).toBeUndefined();
  });

  it('a last use -> fails at once, to be written with the next; a first use waits', async () => {
    const { store, key, other } = await locked(5_000);
    const use = { keyId: key.keyId, usedAt: new Date() };
    const startedAt = performance.now();
    await expect(store.touch([use])).rejects.toThrow(/touch failed: database is locked/);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    other.exec('rollback');
    const next = successor();
    await store.rotate(key.keyId, next, { overlapMs: 1_000, startsAt: 'first-use' });
    other.exec('begin immediate');
    const usedAt = new Date();
    const touched = store.touch([{ keyId: next.keyId, usedAt }]);
    await delay(100);
    other.exec('rollback');
    await touched;
    expect((await store.get(key.keyId))?.expiresAt).toEqual(new Date(usedAt.getTime() + 1_000));
  });

  it('a manager whose store cannot note a last use -> the request is served', async () => {
    const { store, other } = await locked(50);
    other.exec('rollback');
    const keys = new ApiKeyManager({ store, lastUsedIntervalMs: 10 });
    const { key } = await keys.create({ user: 'alice' });
    other.exec('begin immediate');
    expect((await keys.verify(key)).ok).toBe(true);
    other.exec('rollback');
    await keys.close();
  });
});

describe('a process that could not look for longer than a second', () => {
  it('a key revoked meanwhile -> refused with the very next request', async () => {
    const path = createPath();
    const keys = new ApiKeyManager({ store: await openStore(path) });
    onTestFinished(() => keys.close());
    const { key } = await keys.create({ user: 'alice' });
    expect((await keys.verify(key)).ok).toBe(true);
    await delay(300);
    expect((await keys.verify(key)).ok).toBe(true);
    // Nothing else runs in this process from here to the request.
    byHand(path, `update api_keys set revoked_at = datetime('now')`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'revoked_api_key' });
  });
});

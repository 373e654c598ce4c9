import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, generateApiKey } from '../../src/index.js';
import { SqliteKeyStore, type SqliteDatabase } from '../../src/sqlite.js';
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
    const store = await SqliteKeyStore.open(path, { pollMs: 20 });
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

  describe('a read that gave up on a locked file', () => {
    /** Of a store without a WAL file, where readers are locked out not only during a recovery. */
    async function givenUp() {
      const [origin, path] = [createPath(), createPath()];
      const key = storedKey();
      const first = await openStore(origin);
      await first.insert(key);
      await first.close();
      const file = readFileSync(origin);
      writeFileSync(path, file.fill(1, 18, 20));
      const store = await SqliteKeyStore.open(path, { busyTimeoutMs: 50 });
      onTestFinished(() => store.close());
      await store.get(key.keyId);
      const other = openDatabase(path);
      other.exec('begin exclusive');
      await expect(store.get(key.keyId)).rejects.toThrow(/stayed locked by another/);
      return { path, key, store, other };
    }

    it('the lock is gone -> holds up no change of others, which later reads see', async () => {
      const { path, key, store, other } = await givenUp();
      other.exec('rollback');
      expect((await store.findByDigest(key.digest))?.revokedAt).toBeUndefined();
      byHand(path, `update api_keys set revoked_at = '2026-01-01T00:00:00.000Z'`);
      expect((await store.findByDigest(key.digest))?.revokedAt).toBeDefined();
    });

    it('its table is gone as well -> other tables are read', async () => {
      const { key, store, other } = await givenUp();
      other.exec('rollback; alter table api_keys rename to others');
      await expect(store.claims.list({ limit: 10, now: new Date() })).resolves.toEqual([]);
      await expect(store.get(key.keyId)).rejects.toThrow(/run migrate/);
    });
  });

  it('a new file, migrated twice at once while it is locked for writing, then for reading -> both succeed', async () => {
    const path = createPath();
    const other = openDatabase(path) as SqliteDatabase & { close(): void };
    onTestFinished(() => other.close());
    other.exec('create table notes (text)');
    const store = await SqliteKeyStore.open(path);
    onTestFinished(() => store.close());
    other.exec('begin immediate');
    const switching = store.migrate();
    await delay(50);
    other.exec('rollback; begin exclusive');
    const reading = store.migrate();
    const outcomes = Promise.allSettled([switching, reading]);
    await delay(100);
    other.exec('rollback');
    expect(await outcomes).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
    expect((await store.inspect()).state).toBe('ready');
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

/** A watch on a database object that counts its statements, and says how long nothing was asked. */
async function countedWatch(pollMs: number) {
  const path = createPath();
  const database = openDatabase(path) as SqliteDatabase & { close(): void };
  const counted = { looks: 0 };
  const prepare = database.prepare.bind(database);
  database.prepare = (sql) => {
    const statement = prepare(sql);
    const all = statement.all.bind(statement);
    statement.all = (...values) => {
      if (sql.includes('max(seq)')) counted.looks++;
      return all(...values);
    };
    return statement;
  };
  const store = new SqliteKeyStore({ database, pollMs });
  await store.migrate();
  const asked = { idleMs: 0 };
  const watcher = Object.assign(recordingWatcher(), {
    idleMs: () => asked.idleMs,
    resting: (isSilent?: boolean) => void watcher.told.push(`resting ${isSilent}`),
  });
  const watch = store.watch(watcher);
  onTestFinished(async () => {
    await watch.close();
    database.close();
  });
  await watcher.until('connected');
  return { path, store, watch, watcher, asked, counted };
}

describe('a watch of a SQLite file while nothing is asked', () => {
  it('idle for under 4 seconds -> looks on; for longer -> rests, and looks no more', async () => {
    const { watcher, asked, counted } = await countedWatch(20);
    asked.idleMs = 3_999;
    await watcher.until('alive', 3);
    expect(watcher.told).not.toContain('resting true');
    asked.idleMs = 4_000;
    await watcher.until('resting true');
    const looks = counted.looks;
    await delay(300);
    expect(counted.looks).toBe(looks);
    expect(watcher.told.at(-1)).toBe('resting true');
  });

  it('check -> looks before it returns, tells of what was changed meanwhile, and looks on', async () => {
    const { path, store, watch, watcher, asked } = await countedWatch(20);
    const key = storedKey();
    await store.insert(key);
    asked.idleMs = 4_000;
    await watcher.until('resting true');
    byHand(path, `update api_keys set revoked_at = datetime('now')`);
    asked.idleMs = 0;
    watcher.told.length = 0;
    const checked = watch.check();
    expect(watcher.told).toEqual([`changed ${key.keyId}`, 'alive']);
    await checked;
    await watcher.until('alive', 3);
  });

  it('closed while it rests -> check rejects, and does not look', async () => {
    const { watch, watcher, asked, counted } = await countedWatch(20);
    asked.idleMs = 4_000;
    await watcher.until('resting true');
    await watch.close();
    const looks = counted.looks;
    await expect(watch.check()).rejects.toThrow('changes may be missed');
    await delay(100);
    expect(counted.looks).toBe(looks);
  });
});

describe('a manager on a SQLite file that is asked for nothing', () => {
  /** A manager whose clock runs 4 seconds ahead at a word, and its file. */
  async function resting() {
    const path = createPath();
    const store = await openStore(path, { pollMs: 20 });
    const watch = vi.spyOn(store, 'watch');
    const clock = { aheadMs: 0 };
    const keys = new ApiKeyManager({
      store,
      now: () => Date.now() + clock.aheadMs,
      lastUsedIntervalMs: 86_400_000,
    });
    onTestFinished(() => keys.close());
    const find = vi.spyOn(store, 'findByDigest');
    const made = await keys.create({ user: 'alice' });
    expect((await keys.verify(made.key)).ok).toBe(true);
    await vi.waitFor(() => expect(watch).toHaveBeenCalled());
    const rested = vi.spyOn(watch.mock.calls[0]![0], 'resting');
    const rest = async () => {
      const times = rested.mock.calls.length;
      // In steps, so that no gap makes the manager doubt what it knows.
      for (let step = 0; step < 10; step++) {
        clock.aheadMs += 500;
        await delay(30);
      }
      await vi.waitFor(() => expect(rested.mock.calls.length).toBeGreaterThan(times));
      find.mockClear();
    };
    return { path, keys, find, rest, ...made };
  }

  it('nothing was changed -> the next request is admitted from the cache', async () => {
    const { keys, key, find, rest } = await resting();
    await rest();
    expect((await keys.verify(key)).ok).toBe(true);
    expect(find).not.toHaveBeenCalled();
  });

  it('its key is revoked by hand, time after time -> the very next request is refused', async () => {
    const { path, keys, rest } = await resting();
    for (let round = 0; round < 3; round++) {
      const { key } = await keys.create({ user: 'alice' });
      expect((await keys.verify(key)).ok).toBe(true);
      await rest();
      byHand(path, `update api_keys set revoked_at = datetime('now') where revoked_at is null`);
      expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'revoked_api_key' });
    }
  });

  it('its file is replaced by one with the key revoked -> the very next request is refused', async () => {
    const { path, keys, key, rest } = await resting();
    byHand(path, `vacuum into '${path}.next'`);
    byHand(`${path}.next`, `update api_keys set revoked_at = datetime('now')`);
    await rest();
    for (const ending of ['-wal', '-shm']) rmSync(path + ending, { force: true });
    renameSync(`${path}.next`, path);
    expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'revoked_api_key' });
  });

  it('its key is revoked, and the next look fails -> the key is looked up before it is admitted', async () => {
    const { path, keys, key, rest } = await resting();
    await rest();
    byHand(
      path,
      `update api_keys set revoked_at = datetime('now'); drop trigger api_keys_announce_update`,
    );
    expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'revoked_api_key' });
  });

  it('its file is gone -> known keys are admitted, and unknown ones are a fault', async () => {
    const { path, keys, key, rest } = await resting();
    await rest();
    renameSync(path, `${path}.gone`);
    expect((await keys.verify(key)).ok).toBe(true);
    await expect(keys.verify(generateApiKey().key)).rejects.toThrow('the key store failed');
    renameSync(`${path}.gone`, path);
    const answer = () => keys.verify(generateApiKey().key).catch(() => 'fault');
    await expect.poll(answer, { timeout: 5_000 }).toMatchObject({ code: 'invalid_api_key' });
    expect((await keys.verify(key)).ok).toBe(true);
  });
});

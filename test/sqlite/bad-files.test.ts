import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { SqliteKeyStore } from '../../src/sqlite.js';
import { compiled } from '../support/compiled.js';
import { createFolder, look, openDatabase, openStore } from '../support/sqlite.js';

/**
 * A manager on a file in a folder inside a folder, with a key that is cached and one that is not.
 */
async function openWithKeys() {
  const path = join(createFolder(), 'data', 'keys.db');
  mkdirSync(dirname(path));
  const store = await openStore(path, { pollMs: 20 });
  const keys = new ApiKeyManager({ store });
  onTestFinished(() => keys.close());
  const [warm, cold] = [await keys.create({ user: 'alice' }), await keys.create({ user: 'bob' })];
  expect((await keys.verify(warm.key)).ok).toBe(true);
  const codeOf = async ({ key }: { key: string }) => {
    const result = await keys.verify(key).catch((error: unknown) => error as Error);
    if (result instanceof Error) return 'fault';
    return result.ok ? 'admitted' : result.code;
  };
  const isWhole = () =>
    expect(look(path, 'pragma integrity_check')).toMatchObject([{ integrity_check: 'ok' }]);
  return { path, store, keys, warm, cold, codeOf, isWhole };
}

/** Until the store has noticed that its file is no longer there. */
const untilLost = (store: SqliteKeyStore) =>
  expect
    .poll(
      () =>
        store.get('key_none').then(
          () => 'there',
          () => 'lost',
        ),
      { timeout: 5_000 },
    )
    .toBe('lost');

describe('a disk that is full', () => {
  it('no page left -> changes fail and say so, cached and other keys work, nothing is lost', async () => {
    const { path, store, warm, cold, isWhole } = await openWithKeys();
    await store.close();
    const database = openDatabase(path);
    const full = new SqliteKeyStore({ database });
    const keys = new ApiKeyManager({ store: full, lastUsedIntervalMs: 20 });
    onTestFinished(() => keys.close());
    expect((await keys.verify(warm.key)).ok).toBe(true);
    database.exec('pragma max_page_count = 1');
    const answered: string[] = [];
    const metadata = { filler: 'x'.repeat(2_000) };
    const add = async () => {
      for (;;) answered.push((await keys.create({ user: 'carol', metadata })).record.keyId);
    };
    await expect(add()).rejects.toThrow(
      /^SqliteKeyStore: insert failed: .*full; the disk under the database is full$/,
    );
    expect((await keys.verify(warm.key)).ok).toBe(true);
    expect((await keys.verify(cold.key)).ok).toBe(true);
    database.exec('pragma max_page_count = 100000');
    await keys.revoke(warm.record.keyId);
    expect((await keys.verify(warm.key)).ok).toBe(false);
    const rows = look(path, 'select key_id from api_keys');
    expect(rows.map((row) => row['key_id'])).toEqual(
      expect.arrayContaining([...answered, warm.record.keyId, cold.record.keyId]),
    );
    expect(rows).toHaveLength(answered.length + 2);
    isWhole();
  });

  it('a write that the system refuses half-way -> the same, in a process of its own', async () => {
    const { path, cold, keys, store, isWhole } = await openWithKeys();
    await keys.close();
    await store.close();
    // No file may grow past so many kilobytes. Without the trap, the signal would end the process.
    const script = `trap '' XFSZ; ulimit -f 700; exec "$0" "$@"`;
    const child = spawnSync(
      'bash',
      [
        ...['-c', script, process.execPath],
        ...[compiled('test/support/sqlite-full-process.ts'), path, cold.key],
      ],
      { encoding: 'utf8' },
    );
    const said = JSON.parse(child.stdout || child.stderr) as {
      answered: string[];
      failure: string;
      revoked: string;
      isWarm: boolean;
      isCold: boolean;
    };
    const refused = /^SqliteKeyStore: \w+ failed: .*the disk.* under .*keys\.db (is full|failed)/;
    expect(said).toMatchObject({ failure: expect.stringMatching(refused), isWarm: true });
    expect(said.isCold).toBe(true);
    const found = look(path, 'select key_id from api_keys').map((row) => row['key_id']);
    expect(found).toEqual(expect.arrayContaining(said.answered));
    isWhole();
  });
});

describe('a file that goes away under a running process', () => {
  it.each([
    ['the file is moved away', (path: string) => path],
    ['its folder is moved away', (path: string) => dirname(path)],
  ])(
    '%s, and put back -> 503 for keys that are not cached, and all as before',
    async (_what, of) => {
      const { path, store, keys, warm, cold, codeOf, isWhole } = await openWithKeys();
      const moved = of(path);
      renameSync(moved, `${moved}-away`);
      await untilLost(store);
      expect(await codeOf(cold)).toBe('fault');
      expect(await codeOf(warm)).toBe('admitted');
      await expect(keys.revoke(warm.record.keyId)).rejects.toThrow(/there is no file .*keys\.db/);
      renameSync(`${moved}-away`, moved);
      await expect.poll(() => codeOf(cold), { timeout: 5_000 }).toBe('admitted');
      await keys.revoke(warm.record.keyId);
      expect(await codeOf(warm)).toBe('revoked_api_key');
      isWhole();
    },
  );

  it('something else is put in its place -> a clear error, nothing is written into it, and recovery', async () => {
    const { path, store, keys, warm, cold, codeOf, isWhole } = await openWithKeys();
    renameSync(path, `${path}-good`);
    for (const ending of ['-wal', '-shm']) renameSync(path + ending, `${path}-good${ending}`);
    writeFileSync(path, 'a text of some length, in place of keys');
    await untilLost(store);
    expect(await codeOf(cold)).toBe('fault');
    expect(await codeOf(warm)).toBe('admitted');
    await expect(keys.create({ user: 'carol' })).rejects.toThrow(/is not a SQLite database/);
    rmSync(path);
    for (const ending of ['', '-wal', '-shm']) renameSync(`${path}-good${ending}`, path + ending);
    await expect.poll(() => codeOf(cold), { timeout: 5_000 }).toBe('admitted');
    isWhole();
  });

  it('it becomes a folder -> a clear error for every call', async () => {
    const { path, store, keys, cold, codeOf } = await openWithKeys();
    renameSync(path, `${path}-good`);
    mkdirSync(path);
    await untilLost(store);
    expect(await codeOf(cold)).toBe('fault');
    await expect(keys.create({ user: 'carol' })).rejects.toThrow(
      /keys\.db is a folder; name a file in it$/,
    );
  });
});

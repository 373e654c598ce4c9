import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { SqliteKeyStore, type SqliteDatabase } from '../../src/sqlite.js';
import { DatabaseFile } from '../../src/stores/sqlite/source.js';
import { storedKey } from '../support/stored-key.js';
import {
  byHand,
  createFolder,
  createPath,
  look,
  openDatabase,
  openStore,
} from '../support/sqlite.js';

const digest = storedKey().digest;

async function open(path: string): Promise<SqliteKeyStore> {
  const store = await SqliteKeyStore.open(path);
  onTestFinished(() => store.close());
  return store;
}

describe('SqliteKeyStore.open', () => {
  it('a path where no file is -> every call but migrate rejects, and nothing is created', async () => {
    const path = createPath();
    const store = await open(path);
    const missing = /there is no file .*keys\.db; check the path, or run migrate\(\)/;
    await expect(store.findByDigest(digest)).rejects.toThrow(missing);
    await expect(store.insert(storedKey())).rejects.toThrow(missing);
    await expect(store.touch([])).rejects.toThrow(missing);
    await expect(store.events.list({ limit: 1 })).rejects.toThrow(missing);
    expect(await store.inspect()).toEqual({ state: 'missing', version: 0 });
    expect(readdirSync(join(path, '..'))).toEqual([]);
    await store.migrate();
    expect(await store.findByDigest(digest)).toBeUndefined();
    expect((await store.inspect()).state).toBe('ready');
  });

  it('a file that is created -> readable by its user alone, as are the files beside it', async () => {
    const path = createPath();
    const store = await openStore(path);
    await store.insert(storedKey());
    for (const ending of ['', '-wal', '-shm'])
      expect((statSync(path + ending).mode & 0o777).toString(8), ending).toBe('600');
  });

  it('a file: address, relative or whole -> the file of that path', async () => {
    const path = createPath();
    await openStore(path);
    for (const address of [`file:${path}`, `file://${path}`])
      expect((await (await open(address)).inspect()).state).toBe('ready');
  });

  it('a path with blanks and percent signs -> as it is written, and decoded in a URL', async () => {
    const path = join(createFolder(), 'a b%20c.db');
    await openStore(path);
    for (const address of [`file:${path}`, pathToFileURL(path).href])
      expect((await (await open(address)).inspect()).state, address).toBe('ready');
  });

  it.each([
    ['a folder that is not there', (folder: string) => join(folder, 'no', 'keys.db')],
    ['a folder in the place of the file', (folder: string) => folder],
  ])('%s -> migrate rejects and says so', async (_what, pathIn) => {
    const store = await open(pathIn(createFolder()));
    await expect(store.migrate()).rejects.toThrow(
      /^SqliteKeyStore: migrate failed: .*(folder|cannot be opened)/,
    );
  });

  it('a file that is no database -> a clear error, 503 for requests, and the file stays', async () => {
    const path = createPath();
    writeFileSync(path, 'not a database, '.repeat(1_000));
    const store = await open(path);
    const keys = new ApiKeyManager({ store });
    onTestFinished(() => keys.close());
    await expect(store.findByDigest(digest)).rejects.toThrow(/keys\.db is not a SQLite database/);
    await expect(store.inspect()).rejects.toThrow(/is not a SQLite database/);
    await expect(store.migrate()).rejects.toThrow(/is not a SQLite database/);
    expect(statSync(path).size).toBe(16_000);
  });

  it('a database that was never migrated -> the error says to run migrate', async () => {
    const path = createPath();
    byHand(path, 'create table notes (text)');
    const store = await open(path);
    await expect(store.findByDigest(digest)).rejects.toThrow(/no such table.*run migrate\(\)/);
    await expect(store.insert(storedKey())).rejects.toThrow(/no such table.*run migrate\(\)/);
  });

  it.each([
    [42, /path of a file/],
    ['', /path of a file/],
    [':memory:', /MemoryKeyStore/],
    ['file:', /path of a file/],
    ['file::memory:', /MemoryKeyStore/],
    ['file:keys.db?mode=ro', /without "\?"/],
    ['file:///srv/keys.db?mode=ro', /without "\?"/],
    ['file:///srv/keys.db#a', /path of a file/],
    ['file:///srv/100%.db', /path of a file/],
    ['file://host/keys.db', /path of a file/],
  ])('%j in place of a path -> a TypeError', async (path, message) => {
    await expect(SqliteKeyStore.open(path as string)).rejects.toThrow(message);
    await expect(SqliteKeyStore.open(path as string)).rejects.toThrow(TypeError);
  });

  it('a wrong option -> a TypeError that names it', async () => {
    const path = createPath();
    for (const options of [{ pollMs: 9 }, { busyTimeoutMs: -1 }, { table: 'sqlite_x' }, { pol: 1 }])
      await expect(SqliteKeyStore.open(path, options as object)).rejects.toThrow(
        /"(pollMs|busyTimeoutMs|table|pol)"/,
      );
    expect(existsSync(path)).toBe(false);
  });

  it('a store that is closed, even twice -> its calls reject, and the file is whole', async () => {
    const path = createPath();
    const store = await openStore(path);
    const inserted = store.insert(storedKey());
    await Promise.all([store.close(), store.close(), inserted]);
    await expect(store.list({ limit: 1, now: new Date() })).rejects.toThrow(/closed/);
    expect(look(path, 'select count(*) as count from api_keys')).toMatchObject([{ count: 1 }]);
  });

  it('a file that is replaced -> the other one is read within a second', async () => {
    const [path, other] = [createPath(), createPath()];
    const [store, source] = [await openStore(path), await openStore(other)];
    const keys = new ApiKeyManager({ store });
    onTestFinished(() => keys.close());
    const { key } = await keys.create({ user: 'alice' });
    expect((await keys.verify(key)).ok).toBe(true);
    await source.close();
    for (const ending of ['-wal', '-shm']) rmSync(path + ending, { force: true });
    renameSync(other, path);
    await expect.poll(async () => (await keys.verify(key)).ok, { timeout: 1_000 }).toBe(false);
  });

  it('a key revoked just after a backup has replaced the file -> revoked in the new file too', async () => {
    const path = createPath();
    const store = await openStore(path, { pollMs: 60_000 });
    const keys = new ApiKeyManager({ store });
    onTestFinished(() => keys.close());
    const { key, record } = await keys.create({ user: 'alice' });
    expect((await keys.verify(key)).ok).toBe(true);
    byHand(path, `vacuum into '${path}.backup'`);
    for (const ending of ['-wal', '-shm']) rmSync(path + ending, { force: true });
    renameSync(`${path}.backup`, path);
    await keys.revoke(record.keyId);
    expect(look(path, 'select revoked_at from api_keys')).toEqual([
      { revoked_at: expect.any(String) },
    ]);
    expect((await keys.verify(key)).ok).toBe(false);
  });

  it('a file that is replaced and changed at once -> what was known of the old one is forgotten', async () => {
    const path = createPath();
    const store = await openStore(path);
    const keys = new ApiKeyManager({ store });
    onTestFinished(() => keys.close());
    const { record } = await keys.create({ user: 'alice' });
    const { key } = await keys.create({ user: 'bob' });
    byHand(path, 'pragma wal_checkpoint(truncate)');
    copyFileSync(path, `${path}.backup`);
    // As many changes there as here, so that the numbers of both files are the same.
    byHand(`${path}.backup`, `delete from api_keys where user_name = 'bob'`);
    await keys.update(record.keyId, { name: 'a' });
    expect((await keys.verify(key)).ok).toBe(true);
    for (const ending of ['-wal', '-shm']) rmSync(path + ending, { force: true });
    renameSync(`${path}.backup`, path);
    await keys.update(record.keyId, { name: 'b' });
    expect((await keys.verify(key)).ok).toBe(false);
  });

  it('a file that is replaced while it is opened -> noticed', () => {
    const [path, other] = [createPath(), createPath()];
    for (const each of [path, other]) byHand(each, 'create table notes (text)');
    const file = new DatabaseFile(path, (...how) => {
      const database = openDatabase(...how);
      if (existsSync(other)) renameSync(other, path);
      return database;
    });
    onTestFinished(() => file.close());
    expect(file.connection()).not.toBe(file.connection());
  });

  it('a file that is replaced, and then listed by a store that nothing watches -> the other one is read', async () => {
    const [path, other] = [createPath(), createPath()];
    const [store, source] = [await openStore(path), await openStore(other)];
    const { keyId } = await source.insert(storedKey());
    await source.close();
    for (const ending of ['-wal', '-shm']) rmSync(path + ending, { force: true });
    renameSync(other, path);
    expect(await store.list({ limit: 2, now: new Date() })).toMatchObject([{ keyId }]);
  });

  it.each([
    ['a folder that can be written', 0o777],
    ['one that cannot', 0o555],
  ])(
    'a file that can be read and not written, in %s -> keys work, changes fail clearly',
    async (_where, mode) => {
      const [original, path] = [createPath(), createPath()];
      const store = await openStore(original);
      const key = storedKey();
      await store.insert(key);
      await store.close();
      copyFileSync(original, path);
      chmodSync(path, 0o444);
      chmodSync(join(path, '..'), mode);
      const script = `
      import { SqliteKeyStore } from './src/sqlite.ts';
      const store = await SqliteKeyStore.open(${JSON.stringify(path)});
      console.log((await store.findByDigest(${JSON.stringify(key.digest)}))?.user);
      await store.revoke(${JSON.stringify(key.keyId)}, new Date(), { family: false }).catch((error) => console.log(error.message));
      await store.touch([{ keyId: ${JSON.stringify(key.keyId)}, usedAt: new Date() }]).catch((error) => console.log(error.message));`;
      const child = spawnSync(
        process.execPath,
        ['--import', 'tsx', '--input-type=module', '--eval', script],
        // As root nothing is read only.
        {
          encoding: 'utf8',
          ...(process.getuid?.() === 0 && { uid: 65_534, gid: 65_534 }),
          env: { ...process.env, TSX_DISABLE_CACHE: '1' },
        },
      );
      const refused = /^SqliteKeyStore: (revoke|touch) failed: .*cannot be written by this user$/;
      const lines = child.stdout.trim().split('\n');
      expect(lines[0], child.stderr).toBe('alice');
      expect(lines[1]).toMatch(refused);
      expect(lines[2]).toMatch(refused);
      expect(look(path, 'select revoked_at from api_keys')).toMatchObject([{ revoked_at: null }]);
    },
    60_000,
  );
});

describe('new SqliteKeyStore', () => {
  it('a database object of the caller -> used, and still open after close', async () => {
    const database = openDatabase(createPath());
    const store = new SqliteKeyStore({ database });
    await store.migrate();
    await store.insert(storedKey());
    await store.close();
    await store.close();
    expect(database.prepare('select count(*) as count from api_keys').all()).toMatchObject([
      { count: 1 },
    ]);
  });

  it('a transaction of the caller on the same object -> changes fail and say why', async () => {
    const database = openDatabase(createPath());
    const store = new SqliteKeyStore({ database });
    await store.migrate();
    database.exec('begin');
    await expect(store.insert(storedKey())).rejects.toThrow(/a database object of its own/);
    database.exec('commit');
    await store.insert(storedKey());
  });

  it('anything but a database object -> a TypeError that says what is meant', () => {
    const database = openDatabase(createPath());
    expect(() => new SqliteKeyStore(database as never)).toThrow(
      /new SqliteKeyStore\(\{ database \}\)/,
    );
    for (const wrong of [undefined, 'keys.db', {}, { query: () => {} }])
      expect(() => new SqliteKeyStore({ database: wrong as never })).toThrow(
        /"database" must be a database object/,
      );
  });

  it('a driver with an old SQLite, or one that answers later -> says so', async () => {
    const answering = (answer: unknown) =>
      ({
        exec: () => {},
        prepare: () => ({ all: () => answer, run: () => {}, get: () => {} }),
      }) as unknown as SqliteDatabase;
    const old = new SqliteKeyStore({ database: answering([{ version: '3.31.1' }]) });
    await expect(old.findByDigest(digest)).rejects.toThrow(
      /SQLite 3\.31\.1; 3\.38 or later is needed/,
    );
    const late = new SqliteKeyStore({ database: answering(Promise.resolve([])) });
    await expect(late.findByDigest(digest)).rejects.toThrow(/not a synchronous driver/);
  });
});

describe('migrate and inspect', () => {
  it('tables of a newer version -> migrate refuses, inspect tells, requests go on', async () => {
    const path = createPath();
    const store = await openStore(path);
    const key = storedKey();
    await store.insert(key);
    byHand(
      path,
      `insert into api_keys_migrations (version) values (7); alter table api_keys add column extra text`,
    );
    expect(await store.inspect()).toEqual({ state: 'newer', version: 7 });
    await expect(store.migrate()).rejects.toThrow(/version 7, newer than this library knows \(1\)/);
    expect((await store.findByDigest(key.digest))?.user).toBe('alice');
    await store.revoke(key.keyId, new Date(), { family: false });
  });

  it.each([
    [
      'plaintext',
      'create table api_keys (id integer primary key, user_name text, api_key text)',
      /holds plaintext keys/,
    ],
    [
      'unrelated',
      'create table api_keys (id integer primary key, text text)',
      /is not a table of keys/,
    ],
    ['unrelated', 'create view api_keys as select 1', /is not a table of keys/],
  ])('%s: %s -> told, and left as it is', async (state, sql, message) => {
    const path = createPath();
    byHand(path, sql);
    const before = look(path, 'select * from sqlite_schema');
    const store = await open(path);
    expect(await store.inspect()).toEqual({ state, version: 0 });
    await expect(store.migrate()).rejects.toThrow(message);
    expect(look(path, 'select * from sqlite_schema')).toEqual(before);
    expect(look(path, 'pragma journal_mode')).toMatchObject([{ journal_mode: 'delete' }]);
  });

  it.each([
    'drop trigger api_keys_announce_update',
    'drop trigger api_keys_event_insert',
    'drop table api_keys_usage',
    'drop table api_keys_changes',
  ])('%s -> disarmed; migrate mends it and keeps the keys', async (sql) => {
    const path = createPath();
    const store = await openStore(path);
    const key = storedKey();
    await store.insert(key);
    byHand(path, sql);
    expect(await store.inspect()).toEqual({ state: 'disarmed', version: 1 });
    await store.migrate();
    expect(await store.inspect()).toEqual({ state: 'ready', version: 1 });
    expect(await store.findByDigest(key.digest)).toEqual(key);
    await store.update(key.keyId, { name: 'x' });
  });

  it('run again -> changes nothing', async () => {
    const path = createPath();
    const store = await openStore(path);
    const before = look(path, 'pragma schema_version');
    await store.migrate();
    expect(look(path, 'pragma schema_version')).toEqual(before);
  });
});

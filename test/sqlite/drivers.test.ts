import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { SqliteKeyStore, type SqliteDatabase } from '../../src/sqlite.js';
import { findDriver } from '../../src/stores/sqlite/open-driver.js';
import { createPath, openDatabase } from '../support/sqlite.js';
import { storedKey } from '../support/stored-key.js';

type Driver = SqliteDatabase & { close(): void; defaultSafeIntegers?: (on: boolean) => void };

const open = (path: string) => openDatabase(path) as Driver;

/** A file with one key, and a driver's object of its own on it. */
async function openWithKey(database: Driver) {
  onTestFinished(() => {
    try {
      database.close();
    } catch {
      // The test closed it.
    }
  });
  const store = new SqliteKeyStore({ database });
  await store.migrate();
  const key = storedKey();
  await store.insert(key);
  return { store, key };
}

describe('a database object of the caller', () => {
  it('integers as BigInt -> the same records, counts and limits', async () => {
    const database = open(createPath());
    database.defaultSafeIntegers?.(true);
    // node:sqlite has this for each statement alone.
    const prepare = database.prepare.bind(database);
    database.prepare = (sql) => {
      const statement = prepare(sql);
      (statement as { setReadBigInts?: (on: boolean) => void }).setReadBigInts?.(true);
      return statement;
    };
    const { store, key } = await openWithKey(database);
    const next = storedKey();
    const overlap = { overlapMs: 5_000, startsAt: 'first-use' } as const;
    const { record } = await store.rotate(key.keyId, next, overlap);
    expect(record.overlapMs).toBe(5_000);
    const counts = { day: '2026-11-29', keyId: key.keyId, user: 'alice', admitted: 3, refused: 1 };
    await store.usage.add([counts]);
    expect(await store.usage.list({ from: '2026-11-01', to: '2026-11-30' })).toEqual([counts]);
    expect(await store.inspect()).toEqual({ state: 'ready', version: 1 });
    expect(await store.prune(new Date())).toBe(0);
    const limit = { maxKeysPerUser: 1, now: new Date() };
    await expect(store.insert(storedKey(), { limit })).rejects.toMatchObject({
      code: 'too_many_keys',
    });
  });

  it('closed by its owner -> look-ups and changes reject and say so, and the process goes on', async () => {
    const database = open(createPath());
    const { store, key } = await openWithKey(database);
    database.close();
    const closed = /^SqliteKeyStore: \w+ failed: .*(not open|closed)/;
    await expect(store.findByDigest(key.digest)).rejects.toThrow(closed);
    await expect(store.revoke(key.keyId, new Date(), { family: false })).rejects.toThrow(closed);
    await store.close();
  });

  it('rows as it returns them, and texts that look like numbers -> read back as they were', async () => {
    const { store } = await openWithKey(open(createPath()));
    const key = storedKey({ user: '0012', name: '1e3', metadata: { _metadata: { duration: 1 } } });
    await store.insert(key);
    expect(await store.findByDigest(key.digest)).toEqual(key);
  });
});

/** `npm run test:nodes` asks for another one than this Node would take by itself. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const hasOwnDriver = major > 22 || (major === 22 && minor >= 13);
const wanted = process.env['SQLITE_DRIVER'] ?? (hasOwnDriver ? 'node:sqlite' : 'libsql');

describe('the driver that open takes', () => {
  it('this run of the tests -> the driver that it is for', () => {
    const database = open(createPath());
    const isOwn = database.constructor.name === 'DatabaseSync';
    // Only the rows of libSQL hold more than their columns.
    const row = database.prepare('select 1 as a').get() as object;
    const found = isOwn ? 'node:sqlite' : '_metadata' in row ? 'libsql' : 'better-sqlite3';
    database.close();
    expect(found).toBe(wanted);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.doUnmock('better-sqlite3');
    vi.doUnmock('libsql');
  });

  /** A Node of this version, without `node:sqlite`. */
  function stubNode(version: string): void {
    vi.stubGlobal('process', {
      ...process,
      getBuiltinModule: () => undefined,
      versions: { ...process.versions, node: version },
    });
  }

  const broken = () => {
    throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' });
  };

  it('better-sqlite3 13 on Node 20, which it would end -> never opened; one sentence says what to install', async () => {
    const opened = vi.fn();
    vi.doMock('better-sqlite3', () => ({
      default: class {
        constructor() {
          opened();
        }
        explain() {}
      },
    }));
    vi.doMock('libsql', broken);
    stubNode('20.19.0');
    await expect(findDriver()).rejects.toThrow(
      /^SqliteKeyStore: no SQLite driver found.*better-sqlite3 13 needs Node 22: install better-sqlite3@12.*"npm install libsql"/,
    );
    expect(opened).not.toHaveBeenCalled();
    stubNode('22.5.0');
    await findDriver();
    expect(opened).toHaveBeenCalled();
  });

  it('a package whose native part is missing -> the next one is taken, or the error says so', async () => {
    const Broken = vi.fn(() => {
      throw new Error('Could not locate the bindings file');
    });
    vi.doMock('better-sqlite3', () => ({ default: Broken }));
    vi.doMock('libsql', broken);
    stubNode('20.19.0');
    await expect(findDriver()).rejects.toThrow(
      /better-sqlite3 is installed and does not work here/,
    );
    vi.doMock('libsql', () => ({ default: vi.fn() }));
    expect(await findDriver()).toBeTypeOf('function');
  });
});

import { describe, expect, it } from 'vitest';
import { storedKey } from '../support/stored-key.js';
import { openStore } from '../support/sqlite.js';

describe('a record in SQLite', () => {
  it('every millisecond of a second, and the outermost years -> read back as they were', async () => {
    const store = await openStore();
    const times = [
      ...Array.from({ length: 1_000 }, (_, ms) => new Date(Date.UTC(2026, 10, 29, 22, 33, 35, ms))),
      new Date('0001-01-01T00:00:00.000Z'),
      new Date('9999-12-31T23:59:59.999Z'),
      new Date('2028-02-29T23:59:59.999Z'),
    ];
    const key = storedKey();
    await store.insert(key);
    for (let index = 0; index < times.length; index += 37) {
      const expiresAt = times[index]!;
      expect((await store.update(key.keyId, { expiresAt })).expiresAt).toEqual(expiresAt);
    }
    for (const expiresAt of times.slice(-3))
      expect((await store.update(key.keyId, { expiresAt })).expiresAt).toEqual(expiresAt);
  });

  it('times beyond the years 1 to 9999 -> the nearest that can be kept', async () => {
    const store = await openStore();
    const key = storedKey({ expiresAt: new Date(8.64e15), revokedAt: new Date(-8.64e15) });
    const record = await store.insert(key);
    expect(record.expiresAt).toEqual(new Date('9999-12-31T23:59:59.999Z'));
    expect(record.revokedAt).toEqual(new Date('0001-01-01T00:00:00.000Z'));
  });

  it.each(['a\0b', 'a\ud800b'])(
    'a text that SQLite cannot hold -> refused, and found nowhere',
    async (text) => {
      const store = await openStore();
      await expect(store.insert(storedKey({ user: text }))).rejects.toThrow(/cannot store a NUL/);
      await store.insert(storedKey({ user: 'a\ufffdb' }));
      const query = { limit: 10, now: new Date() };
      expect(await store.get(text)).toBeUndefined();
      expect(await store.list({ ...query, user: text })).toEqual([]);
      expect(await store.list({ ...query, search: text })).toEqual([]);
      await expect(store.list({ ...query, cursor: text })).rejects.toThrow(/no record/);
      expect(await store.claims.list({ ...query, user: text })).toEqual([]);
      expect(await store.events.list({ limit: 10, user: text })).toEqual([]);
    },
  );

  it('a table of another name, quotes and a question mark in it -> works, beside the first', async () => {
    const store = await openStore();
    const other = await openStore(undefined, { table: `my "keys"; ?now's` });
    const key = storedKey();
    await other.insert(key);
    await other.revoke(key.keyId, new Date(), { family: true });
    const query = { status: 'revoked', limit: 10, now: new Date() } as const;
    expect(await other.list(query)).toHaveLength(1);
    expect(await store.list(query)).toHaveLength(0);
    expect((await other.inspect()).state).toBe('ready');
  });
});

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  columnsOf,
  digestOf,
  insertOld,
  nextTable,
  none,
  now,
  plaintextTable,
  pool,
  storeOf,
  table,
} from '../support/plaintext-table.js';
import { recordOf, storedKey, successor } from '../support/stored-key.js';

describe('the table that many applications start with', () => {
  it('owners, times, inactive keys -> kept, as digests, and the plaintext is gone', async () => {
    await plaintextTable();
    await insertOld('alice', 'alice-key', {
      created_at: '2024-07-01 12:00:00.123',
      last_used: '2025-01-01 00:00:00',
    });
    await insertOld('bob', 'bob-key', { is_active: false });
    await insertOld('carol', 'carol-key', { is_active: null, created_at: null });

    const startedAt = Date.now();
    const summary = await storeOf().adopt();

    expect(summary).toEqual({ ...none, adopted: 3, revoked: 2 });
    const alice = await storeOf().findByDigest(digestOf('alice-key'));
    expect(alice).toEqual({
      keyId: expect.stringMatching(/^key_[0-9A-Za-z]{10}$/) as string,
      user: 'alice',
      digest: digestOf('alice-key'),
      scopes: [],
      metadata: {},
      createdAt: new Date('2024-07-01T12:00:00.123Z'),
      lastUsedAt: new Date('2025-01-01T00:00:00.000Z'),
    });
    for (const key of ['bob-key', 'carol-key']) {
      const revokedAt = (await storeOf().findByDigest(digestOf(key)))?.revokedAt?.getTime();
      expect(revokedAt).toBeGreaterThanOrEqual(startedAt - 1_000);
    }
    const all = await pool.query(`select t::text from ${table} t`);
    expect(JSON.stringify(all.rows)).not.toMatch(/-key/);
  });

  it('the table afterwards -> the same columns and rules as a new one, the old id beside', async () => {
    await plaintextTable();
    await insertOld('alice', 'alice-key');
    await storeOf().adopt();
    const { id, ...adopted } = await columnsOf();
    const oldIndexes = await indexesOf();

    nextTable('new');
    await storeOf().migrate();

    expect(id).toBe('integer not null');
    expect(adopted).toEqual(await columnsOf());
    expect(oldIndexes).toEqual(await indexesOf());
  });

  async function indexesOf(): Promise<string[]> {
    const { rows } = await pool.query<{ indexdef: string }>(
      'select indexdef from pg_indexes where tablename = $1',
      [table],
    );
    return rows.map(({ indexdef }) => indexdef.replaceAll(table, 'TABLE')).toSorted();
  }

  it('adopted -> everything works: new keys, rotation, first use, announcements', async () => {
    await plaintextTable();
    await insertOld('alice', 'alice-key');
    const store = storeOf();
    await store.adopt();
    const { keyId } = (await store.findByDigest(digestOf('alice-key')))!;

    const key = storedKey();
    expect(await store.insert(key)).toEqual(recordOf(key));
    const { record } = await store.rotate(keyId, successor(now), {
      overlapMs: 100,
      startsAt: 'first-use',
    });
    await store.touch([{ keyId: record.keyId, usedAt: now }]);

    expect((await store.get(keyId))?.expiresAt).toEqual(new Date(now.getTime() + 100));
    expect(await store.inspect()).toMatchObject({ state: 'ready' });
    expect(
      (await pool.query(`select proname from pg_proc where proname like '${table}_adopt%'`)).rows,
    ).toEqual([]);
  });

  it('again, or on a new table -> nothing is done', async () => {
    await plaintextTable();
    await insertOld('alice', 'alice-key');
    await storeOf().adopt();
    const before = (await pool.query(`select * from ${table}`)).rows;

    expect(await storeOf().adopt()).toEqual({ ...none, wasUpToDate: true });
    expect((await pool.query(`select * from ${table}`)).rows).toEqual(before);

    nextTable('new');
    await storeOf().migrate();
    expect(await storeOf().adopt()).toEqual({ ...none, wasUpToDate: true });
  });

  it('no table -> an error that says so', async () => {
    await expect(storeOf().adopt()).rejects.toThrow(/no table public\.plain_\d+ to adopt/);
  });

  it('an empty table -> adopted', async () => {
    await plaintextTable();

    expect(await storeOf().adopt()).toEqual(none);
    expect(await storeOf().inspect()).toMatchObject({ state: 'ready' });
  });

  describe.runIf(process.env['TEST_DATABASE_URL'] === undefined)('the files of the table', () => {
    it.each([
      ['with times to convert', 'user_name text, api_key text, created_at timestamp'],
      ['with nothing to convert', 'user_name text collate "C", api_key text'],
    ])('%s -> hold no plaintext any more', async (_what, columns) => {
      await pool.query(`create table ${table} (${columns})`);
      await insertOld('alice', 'needle-in-the-haystack');
      for (let n = 0; n < 200; n++) await insertOld('bob', `legacy-key-${n}`);
      await storeOf().adopt();
      await pool.query('checkpoint');
      const { rows } = await pool.query<{ path: string }>(
        `select current_setting('data_directory') || '/' || pg_relation_filepath($1::regclass) as path`,
        [table],
      );

      const file = await readFile(rows[0]!.path, 'latin1');

      expect(file).toContain(digestOf('legacy-key-1').slice(7));
      expect(file).not.toContain('needle');
      expect(file).not.toContain('legacy-key');
    });
  });
});

describe('tables that differ', () => {
  it('no created_at, last_used, is_active, id -> adopted, all active, created now', async () => {
    await pool.query(`create table ${table} (user_name varchar(20) not null, api_key char(40))`);
    await insertOld('alice', 'short');

    expect(await storeOf().adopt()).toMatchObject({ adopted: 1, revoked: 0 });

    const found = await storeOf().findByDigest(digestOf('short'));
    expect(found?.createdAt.getTime()).toBeGreaterThan(Date.now() - 10_000);
    expect(found).not.toHaveProperty('revokedAt');
  });

  it('columns that the library has too -> taken over, an expiry above all', async () => {
    await plaintextTable(
      `expires_at timestamp, name varchar(9), scopes text[], metadata json, created_at timestamptz, last_used_at date`,
    );
    const more = {
      expires_at: '2030-01-01 00:00',
      name: 'laptop',
      scopes: '{a,b}',
      metadata: '{"a": 1}',
    };
    await insertOld('alice', 'k1', {
      ...more,
      created_at: '2024-01-01T00:00:00+02:00',
      last_used_at: '2024-02-03',
    });
    await insertOld('bob', 'k2');

    await storeOf().adopt();

    expect(await storeOf().findByDigest(digestOf('k1'))).toMatchObject({
      expiresAt: new Date('2030-01-01T00:00:00Z'),
      name: 'laptop',
      scopes: ['a', 'b'],
      metadata: { a: 1 },
      createdAt: new Date('2023-12-31T22:00:00Z'),
      lastUsedAt: new Date('2024-02-03T00:00:00Z'),
    });
    expect(await storeOf().findByDigest(digestOf('k2'))).toMatchObject({
      scopes: [],
      metadata: {},
    });
  });

  it.each([
    ['expires_at bigint', /expires_at: it is bigint, not a time/],
    ['last_used text', /last_used: it is text, not a time/],
    ['is_active int', /is_active: it is integer, not boolean/],
    ['scopes text', /scopes: it is text, not text\[\]/],
    ['replaces int', /replaces: the store needs/],
  ])('a column %s -> refused by name, nothing changed', async (column, message) => {
    await plaintextTable(column);
    await insertOld('alice', 'alice-key');
    const before = await columnsOf();

    await expect(storeOf().adopt()).rejects.toThrow(message);

    expect(await columnsOf()).toEqual(before);
  });

  it.each([
    ['active boolean', `active`],
    ['enabled boolean', 'enabled'],
    ['revoked boolean', 'revoked'],
    ['newsletter boolean', 'newsletter'],
    ['disabled_at timestamptz', 'disabled_at'],
    ['deleted_at timestamp', 'deleted_at'],
    ['valid_until date', 'valid_until'],
    ['some_time time', 'some_time'],
    ['lifetime interval', 'lifetime'],
    ['"isActive" int', 'isActive'],
    ['"expiresAt" bigint', 'expiresAt'],
    ['expiry text', 'expiry'],
    ['is_deleted smallint', 'is_deleted'],
    ['status text', 'status'],
    ['State varchar(9)', 'state'],
  ])(
    'a column %s, which is not read -> refused by name with what to do, nothing changed',
    async (column, name) => {
      await plaintextTable(`${column}, is_active boolean`);
      await insertOld('alice', 'alice-key');
      const before = await columnsOf();

      await expect(storeOf().adopt()).rejects.toThrow(
        new RegExp(
          `adopt does not read ${table}\\.${name}, by which keys may .*is_active .*ignoredColumns`,
        ),
      );

      expect(await columnsOf()).toEqual(before);
      expect(await storeOf().adopt({ ignoredColumns: [name] })).toMatchObject({ adopted: 1 });
      expect(await columnsOf()).toHaveProperty(name);
    },
  );

  it('a column of truth values behind a domain, and a second one -> both refused in one error', async () => {
    await pool.query(`create domain flag_${table} as boolean`);
    await plaintextTable(`paid flag_${table}, blocked boolean`);

    await expect(storeOf().adopt()).rejects.toThrow(
      new RegExp(`${table}\\.paid, ${table}\\.blocked, by which`),
    );
    await expect(storeOf().adopt({ ignoredColumns: ['paid'] })).rejects.toThrow(
      `not read ${table}.blocked, by`,
    );
  });

  it.each(['paused_at timestamp', 'allowed_addresses text'])(
    'a column %s, which the library is going to read -> refused, ignored or not, and nothing changed',
    async (column) => {
      await plaintextTable(column);
      await insertOld('alice', 'alice-key');
      const [name] = column.split(' ') as [string];
      const before = await columnsOf();

      for (const ignoredColumns of [[], [name]])
        await expect(storeOf().adopt({ ignoredColumns })).rejects.toThrow(
          `${table}.${name}: a column of this library has that name; rename or drop it first`,
        );

      expect(await columnsOf()).toEqual(before);
    },
  );

  it.each([
    'created timestamptz',
    'updated_at timestamp',
    '"updatedAt" timestamptz',
    'last_seen_at date',
    'plan text',
  ])('a column %s, which switches no key off -> stays as it is', async (column) => {
    await plaintextTable(column);
    await insertOld('alice', 'alice-key');

    expect(await storeOf().adopt()).toMatchObject({ adopted: 1, revoked: 0 });
  });

  it.each([
    [['is_active'], 'adopt cannot ignore plain_N.is_active: adopt reads it'],
    [['expires_at'], 'adopt cannot ignore plain_N.expires_at: there is no such column'],
  ])('ignoredColumns of %j -> refused', async (ignoredColumns, message) => {
    await plaintextTable();

    await expect(storeOf().adopt({ ignoredColumns })).rejects.toThrow(
      message.replace('plain_N', table),
    );
  });

  it.each([
    ['another table inherits from', () => `create table heir_${table} () inherits (${table})`],
    [
      'that inherits from another',
      () => `create table all_${table} (user_name text); alter table ${table} inherit all_${table}`,
    ],
  ])('a table %s -> refused, nothing changed', async (_what, statement) => {
    await plaintextTable();
    await insertOld('alice', 'alice-key');
    await pool.query(statement());
    const before = await columnsOf();

    await expect(storeOf().adopt()).rejects.toThrow(
      /inherits from .*"alter table \.\.\. no inherit \.\.\." first/,
    );

    expect(await columnsOf()).toEqual(before);
  });

  it("references, grants, columns of the application's own -> survive; one key an owner -> no rule any more", async () => {
    await plaintextTable('email text not null, note text, reason text, unique (user_name)');
    await pool.query(`create table log_${table} (key_ref int references ${table} (id))`);
    await insertOld('alice', 'alice-key', { email: 'a@example.org' });
    await pool.query(`insert into log_${table} values (1)`);
    await pool.query(`grant select on ${table} to pg_monitor`);

    await storeOf().adopt();

    const { keyId } = (await storeOf().findByDigest(digestOf('alice-key')))!;
    await storeOf().rotate(keyId, successor(now), { overlapMs: 1, startsAt: 'now' });
    const { rows } = await pool.query(
      `select email, has_table_privilege('pg_monitor', '${table}', 'select') as granted
       from log_${table} join ${table} on id = key_ref`,
    );
    expect(rows).toEqual([{ email: 'a@example.org', granted: true }]);
  });

  it('a view on the table -> a clear error, the old application goes on, then it can be finished', async () => {
    await plaintextTable();
    await insertOld('alice', 'alice-key');
    await pool.query(`create view view_${table} as select api_key from ${table}`);

    await expect(storeOf().adopt()).rejects.toThrow(
      /a view, function or policy of your own uses the table/,
    );
    expect(
      (await pool.query(`select user_name from ${table} where api_key = 'alice-key'`)).rows,
    ).toHaveLength(1);
    expect(await storeOf().inspect()).toMatchObject({ state: 'plaintext' });

    await pool.query(`drop view view_${table}`);
    expect(await storeOf().adopt()).toMatchObject({ adopted: 1 });
  });
});

import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { generateApiKey } from '../../src/index.js';
import { PostgresKeyStore, type AdoptProgress } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { sampleKey, sha256Hex } from '../support/sample-key.js';
import { recordOf, storedKey, successor } from '../support/stored-key.js';

const database = await createDatabase();
// A zone other than UTC: times without one must not be read as the session's.
const pool = database.pool({ options: '-c timezone=America/New_York', max: 20 });
const now = new Date();
let table: string;
let count = 0;

beforeEach(() => {
  table = `plain_${++count}`;
});

const storeOf = () => new PostgresKeyStore({ client: pool, table });
const digestOf = (key: string) => `sha256:${sha256Hex(key)}`;

/** The table that many applications start with. */
async function plaintextTable(
  columns = 'created_at timestamp default now(), last_used timestamp, is_active boolean default true',
  key = 'text unique',
): Promise<void> {
  await pool.query(
    `create table ${table} (id serial primary key, user_name text, api_key ${key}, ${columns})`,
  );
}

const insertOld = (user: string | null, key: string | null, more: Record<string, unknown> = {}) => {
  const values = { user_name: user, api_key: key, ...more };
  const names = Object.keys(values);
  return pool.query(
    `insert into ${table} (${names.join(', ')}) values (${names.map((_, n) => `$${n + 1}`).join(', ')})`,
    Object.values(values),
  );
};

const fill = (from: number, to: number) =>
  pool.query(
    `insert into ${table} (user_name, api_key, is_active)
     select 'user' || n, 'legacy-key-number-' || n, n % 10 <> 0 from generate_series($1::int, $2::int) n`,
    [from, to],
  );

const columnsOf = async () => {
  const { rows } = await pool.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end as type
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [table],
  );
  return Object.fromEntries(rows.map(({ name, type }) => [name, type]));
};

const none = {
  adopted: 0,
  revoked: 0,
  unowned: 0,
  skipped: { withoutKey: 0, duplicates: 0 },
  wasUpToDate: false,
};

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

    table = `new_${count}`;
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
    const { record } = await store.rotate(keyId, successor(now), { overlapMs: 100, startsAt: 'first-use' });
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

    table = `new_${count}`;
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

describe('keys', () => {
  it.each([
    ['blanks around', '  padded key \t'],
    ['another script', 'schlüssel-名前-🔑'],
    ['quotes and backslashes', `a'b"c\\d$body$`],
    ['300 characters', 'x'.repeat(300)],
    ['its own hash format', `sha256:${'a'.repeat(64)}`],
  ])('with %s -> the digest of the exact text', async (_what, key) => {
    await plaintextTable();
    await insertOld('alice', key);

    await storeOf().adopt();

    expect(await storeOf().findByDigest(digestOf(key))).toMatchObject({ user: 'alice' });
  });

  it("of the library's own form -> keep their key id; with a wrong checksum -> get another, nothing of the key", async () => {
    await plaintextTable();
    const own = ['key', 'a', 'my_app2_live', 'x'.repeat(32)].map((prefix) => generateApiKey({ prefix }));
    for (const { key } of own) await insertOld('alice', key);
    await insertOld('bob', sampleKey('independent'));
    const foreign = `sk_live_${'A1b2C3d4'.repeat(6)}`;
    await insertOld('carol', foreign);

    await storeOf().adopt({ prefix: 'old_app' });

    for (const { keyId, digest } of own) expect((await storeOf().findByDigest(digest))?.keyId).toBe(keyId);
    const sample = sampleKey('independent');
    expect((await storeOf().findByDigest(digestOf(sample)))?.keyId).toBe(sample.slice(0, 14));
    expect((await storeOf().findByDigest(digestOf(foreign)))?.keyId).toMatch(/^old_app_[0-9A-Za-z]{10}$/);
  });

  it('5 000 of them -> ids that all differ and use every digit', async () => {
    await plaintextTable();
    await fill(1, 5_000);

    await storeOf().adopt();

    const { rows } = await pool.query<{ key_id: string }>(`select key_id from ${table}`);
    const ids = rows.map(({ key_id: keyId }) => keyId);
    expect(new Set(ids).size).toBe(5_000);
    expect(ids.every((id) => /^key_[0-9A-Za-z]{10}$/.test(id))).toBe(true);
    for (let place = 4; place < 14; place++) expect(new Set(ids.map((id) => id[place])).size).toBe(62);
  });

  it('null, empty, without an owner -> told apart, none is lost', async () => {
    await plaintextTable();
    await insertOld('alice', null, { is_active: true });
    await insertOld('bob', '');
    await insertOld(null, 'ownerless-key');
    await insertOld('  ', 'blank-owner-key');

    expect(await storeOf().adopt()).toEqual({
      ...none,
      adopted: 2,
      unowned: 2,
      skipped: { withoutKey: 2, duplicates: 0 },
    });

    expect((await storeOf().findByDigest(digestOf('ownerless-key')))?.user).toBe('unknown');
    const { rows } = await pool.query(
      `select reason, record ->> 'user_name' as user from ${table}_skipped order by 2`,
    );
    expect(rows).toEqual([
      { reason: 'no key', user: 'alice' },
      { reason: 'no key', user: 'bob' },
    ]);
  });

  it('one key in several rows -> the active row stays, of several the oldest; the others are set aside without it', async () => {
    await plaintextTable(undefined, 'text');
    await insertOld('inactive', 'shared-key', { is_active: false });
    await insertOld('first', 'shared-key');
    await insertOld('second', 'shared-key');
    await insertOld('other', 'other-key');

    const summary = await storeOf().adopt();

    expect(summary).toMatchObject({ adopted: 2, revoked: 0, skipped: { withoutKey: 0, duplicates: 2 } });
    expect(await storeOf().findByDigest(digestOf('shared-key'))).toMatchObject({ user: 'first' });
    expect(await storeOf().findByDigest(digestOf('shared-key'))).not.toHaveProperty('revokedAt');
    const { rows } = await pool.query(`select reason, record::text as record from ${table}_skipped`);
    expect(JSON.stringify(rows)).toMatch(/second.*inactive|inactive.*second/);
    expect(JSON.stringify(rows)).not.toContain('shared-key');
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
    const more = { expires_at: '2030-01-01 00:00', name: 'laptop', scopes: '{a,b}', metadata: '{"a": 1}' };
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
    expect(await storeOf().findByDigest(digestOf('k2'))).toMatchObject({ scopes: [], metadata: {} });
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

  it("foreign keys, grants, columns of the application's own -> survive; one key an owner -> no rule any more", async () => {
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

    await expect(storeOf().adopt()).rejects.toThrow(/a view, function or policy of your own uses the table/);
    expect(
      (await pool.query(`select user_name from ${table} where api_key = 'alice-key'`)).rows,
    ).toHaveLength(1);
    expect(await storeOf().inspect()).toMatchObject({ state: 'plaintext' });

    await pool.query(`drop view view_${table}`);
    expect(await storeOf().adopt()).toMatchObject({ adopted: 1 });
  });
});

describe('large tables', () => {
  const broken = new Error('killed');

  it('broken off between batches -> nothing lost, the old application works; a second run finishes', async () => {
    await plaintextTable();
    await fill(1, 3_000);
    let batches = 0;
    const onProgress = () => {
      if (++batches === 4) throw broken;
    };

    await expect(storeOf().adopt({ batchSize: 300, onProgress })).rejects.toBe(broken);

    const half = await pool.query<{ hashed: number; total: number }>(
      `select count(digest)::int as hashed, count(*)::int as total from ${table} where api_key is not null`,
    );
    expect(half.rows[0]!.hashed).toBeGreaterThan(0);
    expect(half.rows[0]!.hashed).toBeLessThan(3_000);
    expect(half.rows[0]!.total).toBe(3_000);
    // The old application meanwhile: a new key, one exchanged, one switched off, one removed.
    await insertOld('late', 'late-key');
    await pool.query(`update ${table} set api_key = 'exchanged' where api_key = 'legacy-key-number-1'`);
    await pool.query(`update ${table} set is_active = false where api_key = 'legacy-key-number-2'`);
    await pool.query(`delete from ${table} where api_key = 'legacy-key-number-3'`);

    expect(await storeOf().adopt({ batchSize: 300 })).toMatchObject({ adopted: 3_000, revoked: 301 });

    const find = (key: string) => storeOf().findByDigest(digestOf(key));
    expect(await find('late-key')).toMatchObject({ user: 'late' });
    expect(await find('exchanged')).toMatchObject({ user: 'user1' });
    expect(await find('legacy-key-number-1')).toBeUndefined();
    expect(await find('legacy-key-number-2')).toHaveProperty('revokedAt');
    expect(await find('legacy-key-number-3')).toBeUndefined();
    expect(await find('legacy-key-number-3000')).toMatchObject({ user: 'user3000' });
  });

  it('the connection killed in the last step -> still the old table; a second run finishes', async () => {
    await plaintextTable();
    await fill(1, 1_000);
    const blocker = await database.client();
    await blocker.query('begin');
    // Somebody reads the table in a long transaction: the last step has to wait, where it can be killed.
    const run = storeOf().adopt({
      onProgress: ({ done }) => void (done === 0 && blocker.query(`select 1 from ${table}`)),
    });
    run.catch(() => {});
    const kill = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like 'do %'`;
    await expect.poll(async () => (await pool.query(kill)).rows.length).toBe(1);
    await expect(run).rejects.toThrow(/terminat/);
    await blocker.query('rollback');
    expect(await storeOf().inspect()).toMatchObject({ state: 'plaintext' });
    expect((await pool.query(`select api_key from ${table}`)).rows).toHaveLength(1_000);

    expect(await storeOf().adopt()).toMatchObject({ adopted: 1_000, revoked: 100 });

    expect(await storeOf().findByDigest(digestOf('legacy-key-number-1000'))).toMatchObject({
      user: 'user1000',
    });
  });

  it('progress -> from none to all, never back', async () => {
    await plaintextTable();
    await fill(1, 3_000);
    const steps: AdoptProgress[] = [];

    await storeOf().adopt({ batchSize: 500, onProgress: (progress) => void steps.push(progress) });

    expect(steps.length).toBeGreaterThan(4);
    expect(steps[0]).toEqual({ done: 0, total: 3_000 });
    expect(steps.at(-1)).toEqual({ done: 3_000, total: 3_000 });
    expect(steps.map(({ done }) => done)).toEqual(steps.map(({ done }) => done).toSorted((a, b) => a - b));
  });

  it('an application that inserts all the while -> every key it was told is in gets in', async () => {
    await plaintextTable();
    await fill(1, 5_000);
    const accepted: string[] = [];
    const over = new AbortController();
    const oldApplication = (async () => {
      for (let n = 0; !over.signal.aborted; n++) {
        try {
          await insertOld('old', `while-${n}`);
          accepted.push(`while-${n}`);
        } catch {
          return;
        }
      }
    })();

    await storeOf().adopt({ batchSize: 100 });
    over.abort();
    await oldApplication;

    expect(accepted.length).toBeGreaterThan(5);
    const { rows } = await pool.query<{ digest: string }>(`select digest from ${table}`);
    const digests = new Set(rows.map(({ digest }) => digest));
    expect(accepted.filter((key) => !digests.has(digestOf(key)))).toEqual([]);
  });

  it('two runs at once -> both end well, every key once', async () => {
    await plaintextTable();
    await fill(1, 3_000);

    await Promise.all([storeOf().adopt({ batchSize: 200 }), storeOf().adopt({ batchSize: 200 })]);

    expect((await pool.query(`select count(*)::int as n from ${table}`)).rows).toEqual([{ n: 3_000 }]);
    expect(await storeOf().inspect()).toMatchObject({ state: 'ready' });
  });
});

it.each([
  ['batchSize', { batchSize: 0 }],
  ['onProgress', { onProgress: 'yes' }],
  ['prefix', { prefix: 'Not-A-Prefix' }],
])('a wrong %s -> a TypeError that names it', async (name, options) => {
  await plaintextTable();

  await expect(storeOf().adopt(options as never)).rejects.toThrow(new RegExp(`adopt: "${name}" must be`));
});

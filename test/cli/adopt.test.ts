import { describe, expect, it } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, startCli } from '../support/cli.js';
import { untilBlocked } from '../support/lock.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const pool = database.pool();
const env = { DATABASE_URL: database.url };

async function plaintextTable(name: string, rows: number): Promise<void> {
  await pool.query(`
    create table ${name} (id serial primary key, user_name text, api_key text unique,
      created_at timestamp default now(), last_used timestamp, is_active boolean default true);
    insert into ${name} (user_name, api_key)
      select 'user' || n, 'plaintext-key-' || n || repeat('x', 200) from generate_series(1, ${rows}) n`);
}

const managerOf = (table: string) =>
  new ApiKeyManager({ store: new PostgresKeyStore({ client: pool, table }), legacyKeys: true });

const keyOf = (n: number) => `plaintext-key-${n}${'x'.repeat(200)}`;

describe('adopt', () => {
  it('a plaintext table with an inactive key, one without a user and one that is empty -> told of, and quiet in a pipe', async () => {
    await plaintextTable('old_keys', 3);
    await pool.query(`
      update old_keys set is_active = false where id = 1;
      update old_keys set user_name = null where id = 2;
      insert into old_keys (user_name, api_key) values ('nobody', '')`);
    const { code, stdout, stderr } = await cli(['adopt', '--table', 'old_keys'], { env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(
      [
        'Adopted 3 keys.',
        'Revoked 1 key that had been inactive.',
        'Gave 1 key without a user to the user "unknown".',
        'Moved 1 row to old_keys_skipped: 1 without a key, 0 with the key of another row.',
        'To accept keys from elsewhere, the server needs new ApiKeyManager({ store, legacyKeys: true }).\n',
      ].join('\n'),
    );
    const keys = managerOf('old_keys');
    expect(await keys.verify(keyOf(3))).toMatchObject({ ok: true, apiKey: { user: 'user3' } });
    expect(await keys.verify(keyOf(1))).toMatchObject({ ok: false, code: 'revoked_api_key' });
    await keys.close();

    const again = await cli(['adopt', '--table', 'old_keys', '--json'], { env });
    expect(JSON.parse(again.stdout)).toMatchObject({ adopted: 0, wasUpToDate: true });
  });

  it('Ctrl-C in the middle -> exit 130 with the table as it was; a second run loses no key', async () => {
    await plaintextTable('big_keys', 2_000);
    const holder = await database.client();
    await holder.query('begin; select from big_keys where id = 1 for update');
    const { child, finished } = startCli(['adopt', '--table', 'big_keys', '--batch-size', '100'], {
      env,
    });
    await untilBlocked(pool);
    child.kill('SIGINT');
    await holder.query('commit');
    expect(await finished).toEqual({
      code: 130,
      stdout: '',
      stderr: 'error: stopped; the rows hashed so far are kept; run it again to continue\n',
    });
    expect((await pool.query('select from big_keys where api_key is not null')).rowCount).toBe(
      2_000,
    );

    const again = await cli(['adopt', '--table', 'big_keys', '--json'], { env });
    expect(JSON.parse(again.stdout)).toMatchObject({ adopted: 2_000, wasUpToDate: false });
    const keys = managerOf('big_keys');
    expect(await keys.verify(keyOf(1_999))).toMatchObject({ ok: true });
    await keys.close();
  });

  it('a column that may switch keys off -> refused with the option that says otherwise; keys that could be digests -> told of', async () => {
    await plaintextTable('doubtful', 1);
    const hexKey = '0a1b'.repeat(16);
    await pool.query('alter table doubtful add paid boolean');
    await pool.query(`update doubtful set api_key = $1`, [hexKey]);
    const adopt = (...options: string[]) =>
      cli(['adopt', '--table', 'doubtful', ...options], { env });
    expect(await adopt()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/doubtful\.paid.*--ignore-column/),
    });
    const { code, stderr } = await adopt('--ignore-column', 'paid');
    expect(code).toBe(0);
    expect(stderr).toContain('1 key of 64 hexadecimal digits could also be a SHA-256 digest.');
    expect(stderr).not.toContain(hexKey);
    const keys = managerOf('doubtful');
    expect(await keys.verify(hexKey)).toMatchObject({ ok: true });
    await keys.close();
  });

  it('a table of one key -> told of in the singular', async () => {
    await plaintextTable('one_key', 1);
    const { stderr } = await cli(['adopt', '--table', 'one_key'], { env });
    expect(stderr).toMatch(/^Adopted 1 key\.\nTo accept keys from elsewhere, /);
  });

  it('a key that no header can carry -> adopted, with a warning that its user needs another', async () => {
    await plaintextTable('odd_keys', 1);
    await pool.query(`update odd_keys set api_key = 'two words'`);
    const { code, stderr } = await cli(['adopt', '--table', 'odd_keys'], { env });
    expect(code).toBe(0);
    expect(stderr).toContain('\nWarning: no request can carry 1 key (blanks, ');
    expect(stderr).not.toContain('two words');
    const { rows } = await pool.query<{ key_id: string }>('select key_id from odd_keys');
    expect(stderr).toContain(`\n  ${rows[0]!.key_id} of user1\n`);
  });

  it('22 such keys -> the oldest 20 are named, and all of them in JSON', async () => {
    for (const table of ['odd_words', 'odd_json']) {
      await plaintextTable(table, 23);
      await pool.query(
        `update ${table} set api_key = 'key number ' || id, is_active = id <> 23 where id > 1`,
      );
    }
    await pool.query(`update odd_words set user_name = E'dan\\x1b[31m' where id = 2`);
    const words = await cli(['adopt', '--table', 'odd_words'], { env });
    expect(words.stderr).toContain('\nWarning: no request can carry 21 keys (blanks, ');
    const named = words.stderr.split('\n').filter((line) => / {2}key_\w{10} of /.test(line));
    expect(named.map((line) => line.split(' of ')[1])).toEqual([
      'dan [31m',
      ...Array.from({ length: 19 }, (_, n) => `user${n + 3}`),
    ]);
    expect(words.stderr).toContain(
      '\n  and 1 more: see the column details of odd_words_migrations\n',
    );
    const kept = await pool.query(
      `select jsonb_array_length(details -> 'unpresentableKeys') as count
        from odd_words_migrations where version = 1`,
    );
    expect(kept.rows).toEqual([{ count: 21 }]);

    const json = await cli(['adopt', '--table', 'odd_json', '--json'], { env });
    const summary = JSON.parse(json.stdout) as { unpresentableKeys: object[] };
    const { rows } = await pool.query(
      `select key_id as "keyId", user_name as user from odd_json where id between 2 and 22 order by id`,
    );
    expect(summary).toMatchObject({ unpresentable: 21, unpresentableKeys: rows });
    expect(words.stderr + json.stdout).not.toContain('key number');
  });

  it('no such table -> failed in one sentence', async () => {
    const { code, stderr } = await cli(['adopt', '--table', 'nothing'], { env });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error: there is no table public.nothing to adopt\n',
    });
  });
});

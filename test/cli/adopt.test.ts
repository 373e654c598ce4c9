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
  it('a plaintext table with an inactive key, an ownerless one and one that is empty -> told of, and quiet in a pipe', async () => {
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
        'Revoked, since they were not active: 1.',
        'Without an owner, now of the user "unknown": 1.',
        'Moved to old_keys_skipped: 1 rows, 1 without a key and 0 with the key of another row.',
        'Keys of another form are accepted by new ApiKeyManager({ store, legacyKeys: true }).\n',
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
    const { child, finished } = startCli(['adopt', '--table', 'big_keys', '--batch-size', '100'], { env });
    await untilBlocked(pool);
    child.kill('SIGINT');
    await holder.query('commit');
    expect(await finished).toEqual({
      code: 130,
      stdout: '',
      stderr: 'error: stopped; what is hashed is kept, run it again to go on\n',
    });
    expect((await pool.query('select from big_keys where api_key is not null')).rowCount).toBe(2_000);

    const again = await cli(['adopt', '--table', 'big_keys', '--json'], { env });
    expect(JSON.parse(again.stdout)).toMatchObject({ adopted: 2_000, wasUpToDate: false });
    const keys = managerOf('big_keys');
    expect(await keys.verify(keyOf(1_999))).toMatchObject({ ok: true });
    await keys.close();
  });

  it('no such table -> failed in one sentence', async () => {
    const { code, stderr } = await cli(['adopt', '--table', 'nothing'], { env });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error: there is no table public.nothing to adopt\n',
    });
  });
});

import { describe, expect, it } from 'vitest';
import { generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, folder } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const pool = database.pool();

interface Finding {
  severity: string;
  code: string;
  message: string;
  remedy?: string;
}

async function doctor(env: Record<string, string>, ...args: string[]) {
  const { code, stdout, stderr } = await cli(['doctor', '--json', ...args], { cwd: folder(), env });
  return {
    code,
    stdout,
    stderr,
    findings: (JSON.parse(stdout) as { findings: Finding[] }).findings,
  };
}

const codesOn = async (table: string) =>
  (await doctor({ DATABASE_URL: database.url }, '--table', table)).findings.map(({ code }) => code);

describe('doctor on the database', () => {
  it('unreachable, with a wrong password or with a broken URL -> found, and no password is told', async () => {
    const secret = 'hunter2-hunter2';
    const [unreachable, unknown, broken, quoted] = await Promise.all([
      doctor({ DATABASE_URL: `postgres://user:${secret}@127.0.0.1:1/app` }),
      doctor({ DATABASE_URL: database.url.replace(/test_\w+$/, 'no_such_database') }),
      doctor({ DATABASE_URL: `mysql://user:${secret}@localhost/app` }),
      doctor({ DATABASE_URL: `"postgres://user:${secret}@localhost/app"` }),
    ]);
    expect(unreachable.findings).toMatchObject([
      {
        code: 'unreachable_database',
        message: expect.stringContaining(
          '127.0.0.1:1/app cannot be used: the connection was refused',
        ) as unknown,
      },
    ]);
    expect(unknown.findings).toMatchObject([{ code: 'unreachable_database' }]);
    expect(broken.findings).toMatchObject([{ code: 'wrong_database_url' }]);
    expect(quoted.findings).toMatchObject([{ code: 'wrong_database_url' }]);
    for (const { code, stdout, stderr } of [unreachable, unknown, broken, quoted]) {
      expect(code).toBe(1);
      expect(stdout + stderr).not.toContain(secret);
    }
  });

  it('keys and passwords planted wherever text comes from -> none is told, in words and in JSON alike', async () => {
    const { key, digest } = generateApiKey();
    const legacy = 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a';
    const planted = await createDatabase();
    const role = `planted_${Date.now()}`;
    const password = `hunter2-"hunter2"-${key.slice(20)}`;
    await planted.pool().query(`create role ${role} superuser login password '${password}'`);
    await new PostgresKeyStore({ client: planted.pool() }).migrate();
    const url = new URL(planted.url);
    url.username = role;
    url.password = encodeURIComponent(password);
    await planted
      .pool()
      .query(
        `insert into api_keys (key_id, user_name, digest, created_at) values ('key_unused0000', $1, $2, now() - interval '30 days')`,
        [`user ${key} ${password} ${url.href}`, digest],
      );
    const cwd = folder({
      '.env': `API_KEYS="alice:${key},bob:'${legacy}',:${legacy}\nX=${legacy}\n`,
    });
    const env = { INTERNAL_API_KEY: `"${legacy}"`, DATABASE_URL: url.href };
    const json = await cli(['doctor', '--json'], { cwd, env });
    const words = await cli(['doctor', '--debug'], { cwd, env });
    await planted.pool().query(`
      create function boom() returns boolean language plpgsql as
        $$ begin raise exception '% and %', '${url.href.replaceAll('%', '%%')}', '${password}'; end $$;
      alter table api_keys rename to real_keys;
      create view api_keys as select * from real_keys where boom();`);
    const failed = await cli(['doctor', '--json'], { cwd, env });
    await planted.pool().query(`drop role ${role}`);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false });
    expect(json.stdout).toContain('unused_key');
    for (const { code, stdout, stderr } of [json, words, failed]) {
      expect(code).toBe(1);
      const told = (stdout + stderr).replaceAll('\\"', '"');
      for (const secret of [key, legacy, password, encodeURIComponent(password)])
        expect(told).not.toContain(secret);
    }
  });

  it('not migrated, plaintext, unrelated or newer -> found', async () => {
    await pool.query(`
      create table plain (id serial, user_name text, api_key text);
      create table guests (id serial);`);
    await new PostgresKeyStore({ client: pool, table: 'future' }).migrate();
    await pool.query('insert into future_migrations (version) values (999)');
    await new PostgresKeyStore({ client: pool, table: 'past' }).migrate();
    await pool.query('delete from past_migrations where version > 1');
    const found = await Promise.all(['none', 'plain', 'guests', 'future', 'past'].map(codesOn));
    expect(found).toEqual([
      ['not_migrated'],
      ['plaintext_table'],
      ['unrelated_table'],
      ['newer_schema'],
      ['not_migrated'],
    ]);
  });

  it.each([
    ['disabled', 'disable trigger announce_update'],
    ['enabled for ordinary sessions alone', 'enable trigger announce_delete'],
    ['disabled, that ends old keys', 'disable trigger first_use'],
  ])(
    'a trigger that is %s -> found with the remedy; after migrate, nothing',
    async (_what, change) => {
      const url = { DATABASE_URL: database.url };
      const table = ['--table', 'quiet'];
      await new PostgresKeyStore({ client: pool, table: 'quiet' }).migrate();
      await pool.query(`alter table quiet ${change}`);

      const { code, findings } = await doctor(url, ...table);
      expect(code).toBe(1);
      expect(findings).toMatchObject([
        {
          severity: 'error',
          code: 'disabled_triggers',
          remedy:
            'run npx require-api-key migrate --table quiet, which restores it or says what it cannot',
        },
      ]);
      const migrated = await cli(['migrate', ...table], { env: url });
      expect(migrated.stderr).toMatch(
        /^The table public.quiet has its triggers back \(version \d+\).\n$/,
      );
      expect(await codesOn('quiet')).toEqual([]);
    },
  );

  it('keys about to expire, never used, waiting in a rotation, cut off by one -> each found by its id', async () => {
    const store = new PostgresKeyStore({ client: pool });
    await store.migrate();
    expect(await codesOn('api_keys')).toEqual([]);
    const insert = (id: string, columns: Record<string, string>) =>
      pool.query(`insert into api_keys (key_id, user_name, digest, ${Object.keys(columns).join()})
        values ('key_${id}', 'alice', 'sha256:' || encode(sha256('${id}'), 'hex'), ${Object.values(columns).join()})`);
    const [old, recent, soon, past] = [30, 1, -3, 2].map(
      (days) => `now() - ${days} * interval '1 day'`,
    ) as [string, string, string, string];
    await insert('in_use', { created_at: old, last_used_at: recent });
    await insert('just_made', { created_at: recent });
    await insert('expiring', { created_at: old, last_used_at: recent, expires_at: soon });
    await insert('unused', { created_at: old });
    await insert('replaced', { created_at: old, last_used_at: recent });
    await insert('waiting', { created_at: old, replaces: `'key_replaced'`, overlap_ms: '1000' });
    await insert('cut_off', { created_at: old, last_used_at: recent, expires_at: past });
    await insert('successor', { created_at: recent, replaces: `'key_cut_off'` });
    await insert('done', { created_at: old, last_used_at: recent, expires_at: past });
    await insert('done_successor', {
      created_at: recent,
      last_used_at: recent,
      replaces: `'key_done'`,
    });
    await insert('bound', {
      created_at: old,
      last_used_at: recent,
      allowed_addresses: `'{203.0.113.0/24}'`,
    });
    await insert('revoked', { created_at: old, revoked_at: past, expires_at: soon });

    const { code, findings } = await doctor({ DATABASE_URL: database.url });
    expect(code).toBe(1);
    expect(
      findings.map((each) => [each.code, /key_\w+(?= of alice)/.exec(each.message)?.[0]]),
    ).toEqual([
      ['expiring_key', 'key_expiring'],
      ['unused_key', 'key_unused'],
      ['waiting_rotation', 'key_waiting'],
      ['cut_off_client', 'key_cut_off'],
      ['bound_keys', 'key_bound'],
    ]);
    expect(findings.at(-1)).toMatchObject({
      severity: 'note',
      message: expect.stringContaining("app.set('trust proxy', <number of proxies>)") as string,
    });
  });
});

import { describe, expect, it } from 'vitest';
import { cli } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const run = (...args: string[]) => cli(args, { env: { DATABASE_URL: database.url } });

describe('migrate', () => {
  it('an empty database, then a ready one -> made, then left alone', async () => {
    const before = await run('list');
    expect(before).toMatchObject({ code: 1, stdout: '' });
    expect(before.stderr).toBe(
      'error: the database has no table public.api_keys: run npx require-api-key migrate\n',
    );
    const first = await run('migrate');
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toMatch(/^The table public.api_keys is created \(version \d+\).\n$/);
    const [second, json, list] = await Promise.all([
      run('migrate'),
      run('migrate', '--json'),
      run('list'),
    ]);
    expect(second.stderr).toMatch(/^The table public.api_keys is up to date/);
    const { before: from, after } = JSON.parse(json.stdout) as Record<string, number>;
    expect(from).toBe(after);
    expect(list.code).toBe(0);
  });

  it('another schema and table -> made there, and used there', async () => {
    const place = ['--schema', 'other', '--table', 'partner_keys'];
    expect((await run('migrate', ...place)).stderr).toMatch(
      /^The table other.partner_keys is created/,
    );
    const created = await run('create', 'alice', ...place);
    expect(created.code).toBe(0);
    const { rows } = await database.pool().query('select user_name from other.partner_keys');
    expect(rows).toEqual([{ user_name: 'alice' }]);
  });

  it('a newer, a plaintext and an unrelated table -> failed, with the remedy', async () => {
    const pool = database.pool();
    await pool.query(`
      create table plain (id serial, user_name text, api_key text unique);
      create table guests (id serial);`);
    await run('migrate', '--table', 'future');
    await pool.query('insert into future_migrations (version) values (999)');
    const [plaintext, unrelated, newer] = await Promise.all([
      run('migrate', '--table', 'plain'),
      run('migrate', '--table', 'guests'),
      run('migrate', '--table', 'future'),
    ]);
    expect(plaintext).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /plaintext: run npx require-api-key adopt --table plain/,
      ) as unknown,
    });
    expect(unrelated).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/--table, or in PostgreSQL with --schema/) as unknown,
    });
    expect(newer).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/version 999, newer/) as unknown,
    });
  });
});

import { describe, expect, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, startCli } from '../support/cli.js';
import { untilBlocked } from '../support/lock.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const pool = database.pool();
const env = { DATABASE_URL: database.url };
await new PostgresKeyStore({ client: pool }).migrate();

/** Expired keys, by the days since their end. */
async function expired(...daysAgo: number[]): Promise<void> {
  await pool.query(
    `insert into api_keys (key_id, user_name, digest, created_at, expires_at)
      select 'key_' || lpad(days::text, 10, '0'), 'alice', 'sha256:' || lpad(to_hex(days), 64, '0'),
        now() - interval '9 years', now() - days * interval '1 day'
      from unnest($1::int[]) days`,
    [daysAgo],
  );
}

const left = async () =>
  (await pool.query<{ key_id: string }>('select key_id from api_keys order by 1')).rows.map(
    ({ key_id }) => Number(key_id.slice(4)),
  );

describe('prune', () => {
  it('--older-than 90d -> those that ended longer ago are gone, the rest stays', async () => {
    await expired(1, 89, 91, 200, 3_000);
    const { code, stdout, stderr } = await cli(['prune', '--older-than', '90d'], { env });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Deleted 3 records of keys that ended over 90d ago.\n',
    });
    expect(await left()).toEqual([1, 89]);
    const all = await cli(['prune', '--older-than', '0s', '--json'], { env });
    expect(JSON.parse(all.stdout)).toEqual({ removed: 2 });
  });

  it('Ctrl-C between two steps -> exit 130; what is gone is gone, a second run does the rest', async () => {
    await expired(91, 3_000);
    const holder = await database.client();
    await holder.query(`begin; select from api_keys where key_id = 'key_0000003000' for update`);
    const { child, finished } = startCli(['prune', '--older-than', '90d'], { env });
    await untilBlocked(pool);
    child.kill('SIGINT');
    await holder.query('commit');
    expect(await finished).toEqual({
      code: 130,
      stdout: '',
      stderr: 'error: stopped after 1 deleted record; run it again to continue\n',
    });
    expect(await left()).toEqual([91]);
    expect((await cli(['prune', '--older-than', '90d'], { env })).stderr).toMatch(
      /^Deleted 1 record /,
    );
  });

  it.each([[[]], [['--older-than', '90']], [['--older-than', '-90d']], [['--older-than', '3mo']]])(
    '%j -> misused, nothing is deleted',
    async (args) => {
      const { code, stderr } = await cli(['prune', ...args], { env });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: .+\n$/);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { type AdoptProgress } from '../../src/postgres.js';
import {
  database,
  digestOf,
  fill,
  insertOld,
  plaintextTable,
  pool,
  storeOf,
  table,
} from '../support/plaintext-table.js';

describe('large tables', () => {
  const interrupted = new Error('interrupted');

  it('interrupted between batches -> nothing lost, the old application works; a second run finishes', async () => {
    await plaintextTable();
    await fill(1, 3_000);
    let batches = 0;
    const onProgress = () => {
      if (++batches === 4) throw interrupted;
    };

    await expect(storeOf().adopt({ batchSize: 300, onProgress })).rejects.toBe(interrupted);

    const half = await pool.query<{ hashed: number; total: number }>(
      `select count(digest)::int as hashed, count(*)::int as total from ${table} where api_key is not null`,
    );
    expect(half.rows[0]!.hashed).toBeGreaterThan(0);
    expect(half.rows[0]!.hashed).toBeLessThan(3_000);
    expect(half.rows[0]!.total).toBe(3_000);
    // The old application meanwhile: a new key, one exchanged, one switched off, one removed.
    await insertOld('late', 'late-key');
    await pool.query(
      `update ${table} set api_key = 'exchanged' where api_key = 'legacy-key-number-1'`,
    );
    await pool.query(`update ${table} set is_active = false where api_key = 'legacy-key-number-2'`);
    await pool.query(`delete from ${table} where api_key = 'legacy-key-number-3'`);

    expect(await storeOf().adopt({ batchSize: 300 })).toMatchObject({
      adopted: 3_000,
      revoked: 301,
    });

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
    // Somebody reads the table in a long transaction: the last step has to wait, where it can be
    // killed.
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
    expect(steps.map(({ done }) => done)).toEqual(
      steps.map(({ done }) => done).toSorted((a, b) => a - b),
    );
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

    expect((await pool.query(`select count(*)::int as n from ${table}`)).rows).toEqual([
      { n: 3_000 },
    ]);
    expect(await storeOf().inspect()).toMatchObject({ state: 'ready' });
  });
});

it.each([
  ['batchSize', 'of none', { batchSize: 0 }],
  ['onProgress', 'of text', { onProgress: 'yes' }],
  ['prefix', 'with capitals', { prefix: 'Not-A-Prefix' }],
  ['ignoredColumns', 'of text', { ignoredColumns: 'status' }],
  ['ignoredColumns', 'with an empty name', { ignoredColumns: [''] }],
  ['ignoredColumns', 'of numbers', { ignoredColumns: [1] }],
])('%s %s -> a TypeError that names it', async (name, _what, options) => {
  await plaintextTable();

  await expect(storeOf().adopt(options as never)).rejects.toThrow(
    new RegExp(`adopt: "${name}" must be`),
  );
});

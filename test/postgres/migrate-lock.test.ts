import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { collectWarnings } from '../support/warnings.js';
import { makeSchema } from './earlier-schema.js';

const database = await createDatabase();
const pool = database.pool();
const warnings = collectWarnings();

/** Reads the table in a long transaction, as a backup does. */
async function readLong(table: string) {
  const backup = await database.client({ application_name: 'pg_dump' });
  await backup.query(`begin; select from ${table}`);
  return backup;
}

it.each([
  ['a repair', 'repaired', 'alter table repaired disable trigger first_use'],
  ['an upgrade', 'upgraded', undefined],
])(
  '%s beside a long read of the table -> cold keys are answered meanwhile, the reader is named, and it is done afterwards',
  async (_what, table, breaks) => {
    const mark = warnings.mark();
    const store = new PostgresKeyStore({ client: pool, table });
    const keys = new ApiKeyManager({ store, cacheTtlMs: 0 });
    onTestFinished(() => keys.close());
    if (breaks === undefined) await makeSchema(pool, 3, table);
    else {
      await store.migrate();
      await pool.query(breaks);
    }
    const { key } = await keys.create({ user: 'alice' });
    const backup = await readLong(table);

    const migrated = store.migrate();
    const until = Date.now() + 2_500;
    while (Date.now() < until) {
      // The lock is given back only after this loop: who waited for it would never get an answer.
      expect(await keys.verify(key)).toMatchObject({ ok: true });
      await delay(20);
    }
    await backup.query('commit');
    await migrated;

    expect((await store.inspect()).state).toBe('ready');
    expect((await warnings.since(mark)).join()).toMatch(
      new RegExp(
        `waiting to change the table public.${table}: the process \\d+ of the role postgres \\("pg_dump"\\) holds it, for \\d s now`,
      ),
    );
  },
);

it('a time limit that is no whole number -> told in whole milliseconds', async () => {
  const client = database.pool({ max: 1 });
  const busy = await client.connect();
  const store = new PostgresKeyStore({ client, queryTimeoutMs: 77 });
  setTimeout(() => busy.release(), 30);
  const blocker = await database.client();
  await new PostgresKeyStore({ client: pool }).migrate();
  await blocker.query('begin; lock table api_keys in access exclusive mode');

  await expect(store.get('key_0000000000')).rejects.toThrow(/no answer within \d+ ms$/);
  await blocker.query('rollback');
});

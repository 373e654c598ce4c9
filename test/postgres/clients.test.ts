import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { PostgresKeyStore, type PostgresClient } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { recordOf, storedKey, successor } from '../support/stored-key.js';
import { recordingWatcher } from '../support/watcher.js';

const now = new Date();

/** One round through everything that a store does. */
async function useAll(client: PostgresClient, table: string): Promise<void> {
  const store = new PostgresKeyStore({ client, table, heartbeatMs: 20 });
  await store.migrate();
  expect(await store.inspect()).toMatchObject({ state: 'ready' });
  const watcher = recordingWatcher();
  const watch = store.watch?.(watcher);
  if (watch) await watcher.until('alive');
  const key = storedKey({
    scopes: ['a'],
    metadata: { a: [1] },
    expiresAt: new Date('2040-01-01Z'),
  });
  expect(await store.insert(key)).toEqual(recordOf(key));
  expect(await store.findByDigest(key.digest)).toEqual(key);
  expect(await store.update(key.keyId, { name: 'x', metadata: { b: 2 } })).toMatchObject({
    metadata: { b: 2 },
  });
  const next = successor(now);
  await store.rotate(key.keyId, next, { overlapMs: 10, startsAt: 'first-use' });
  await store.touch([{ keyId: next.keyId, usedAt: now }]);
  const records = await store.list({ limit: 5, now });
  expect(records.map(({ expiresAt }) => expiresAt)).toEqual([
    key.expiresAt,
    new Date(now.getTime() + 10),
  ]);
  expect(await store.list({ limit: 5, now, cursor: next.keyId, status: 'rotating' })).toEqual(
    records.slice(1),
  );
  expect(await store.revoke(key.keyId, now, { family: true })).toHaveLength(2);
  if (watch) await watcher.until(`changed ${next.keyId}`, 2);
  expect(await store.prune(new Date(now.getTime() + 1))).toBe(2);
  if (watch) {
    await client.query(`alter table ${table} disable trigger user`);
    await watcher.until('disconnected');
    await store.migrate();
    await watcher.until('connected', 2);
  }
  await watch?.close();
}

/** The plaintext table with two keys, adopted. */
async function adoptTwo(client: PostgresClient, table: string): Promise<void> {
  await client.query(`create table ${table} (id serial primary key, user_name text, api_key text unique,
    created_at timestamp, last_used timestamp, is_active boolean)`);
  await client.query(
    `insert into ${table} (user_name, api_key, is_active) values ('a', 'one', true), ('b', 'two', null)`,
  );
  const summary = await new PostgresKeyStore({ client, table }).adopt();
  expect(summary).toMatchObject({ adopted: 2, revoked: 1, wasUpToDate: false });
}

describe('clients', async () => {
  const database = await createDatabase();
  const pool = database.pool();

  it('a pg Pool -> does everything', async () => {
    await expect(useAll(pool, 'of_pool')).resolves.toBeUndefined();
  });

  it('a pg Client -> does everything, and listens to nothing afterwards', async () => {
    const client = await database.client();
    const listening = 'select count(*)::int as n from pg_listening_channels()';

    await useAll(client, 'of_client');
    await adoptTwo(client, 'plain_of_client');

    expect((await client.query<{ n: number }>(listening)).rows[0]?.n).toBe(0);
  });

  it('a pg Client asked for many things at once -> one after the other, without a warning', async () => {
    const warnings: unknown[] = [];
    const warned = (warning: unknown) => void warnings.push(warning);
    process.on('warning', warned);
    const store = new PostgresKeyStore({ client: await database.client(), table: 'of_client' });

    await Promise.all(Array.from({ length: 20 }, (_, n) => store.get(`key_${n}`)));

    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  it('a connection in a transaction of the caller -> a refused insert leaves it usable', async () => {
    const store = new PostgresKeyStore({ client: pool });
    await store.migrate();
    const key = storedKey();
    await store.insert(key);
    const client = await database.client();
    await client.query('begin');
    const within = new PostgresKeyStore({ client });

    await expect(within.insert(key)).rejects.toMatchObject({ code: 'duplicate_key' });
    await within.update(key.keyId, { name: 'in a transaction' });
    await client.query('rollback');

    expect(await store.get(key.keyId)).toEqual(recordOf(key));
  });

  it('anything with a query method -> does everything', async () => {
    const client = {
      query: async (text: string, values: unknown[] = []) => ({
        rows: (await pool.query<pg.QueryResultRow>(text, values)).rows,
      }),
    };

    await useAll(client, 'of_anything');
    await adoptTwo(client, 'plain_of_anything');
  });
});

const pglite = await openPglite();

describe.skipIf(!pglite)('PGlite', () => {
  beforeAll(() => () => pglite?.close());

  it('PGlite -> does everything', async () => {
    await useAll(pglite!, 'of_pglite');
    await adoptTwo(pglite!, 'plain_of_pglite');
  });
});

type Pglite = PostgresClient & { close(): Promise<void> };

/**
 * Where the package is installed; it is no dependency, and the name in a variable keeps the
 * compiler from looking for it.
 */
async function openPglite(): Promise<Pglite | undefined> {
  const name = process.env['TEST_PGLITE'] ?? '@electric-sql/pglite';
  try {
    const { PGlite } = (await import(name)) as { PGlite: { create(): Promise<Pglite> } };
    return await PGlite.create();
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.warn('SKIPPED: PGlite is not tested, @electric-sql/pglite is not installed');
    return undefined;
  }
}

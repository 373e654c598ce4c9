import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey, successor } from '../support/stored-key.js';

const database = await createDatabase();
const pool = database.pool({ max: 20 });
const store = new PostgresKeyStore({ client: pool });
const role = `app_${process.pid}_${Date.now()}`;
// As the application runs: with a role that may read, and write when a key was used.
const restricted = new PostgresKeyStore({ client: database.pool({ options: `-c role=${role}` }) });
const at = (ms: number) => new Date(Date.UTC(2026, 5, 1) + ms);

beforeAll(async () => {
  await store.migrate();
  await pool.query(`create role ${role}`);
  await pool.query(`grant select, update (last_used_at) on api_keys to ${role}`);
  await pool.query(`grant select on api_keys_migrations to ${role}`);
});
afterAll(async () => {
  await pool.query(`drop owned by ${role}`);
  await pool.query(`drop role ${role}`);
});

const inserted = async (parts = {}) => {
  const key = storedKey(parts);
  await store.insert(key);
  return key;
};
const lastUseOf = async (keyId: string) => (await store.get(keyId))?.lastUsedAt;

describe('uses', () => {
  it('later, earlier, the same key twice, unknown keys -> the latest of each, nothing else', async () => {
    const [first, second] = [await inserted({ lastUsedAt: at(500) }), await inserted()];
    const before = await store.get(first.keyId);

    await store.touch([
      { keyId: first.keyId, usedAt: at(100) },
      { keyId: second.keyId, usedAt: at(7) },
      { keyId: 'key_unknown', usedAt: at(9) },
      { keyId: second.keyId, usedAt: at(6) },
    ]);

    expect(await store.get(first.keyId)).toEqual(before);
    expect(await lastUseOf(second.keyId)).toEqual(at(7));
    expect(await lastUseOf('key_unknown')).toBeUndefined();
  });

  it('none -> no statement', async () => {
    const asked = { query: () => Promise.reject(new Error('asked')) };

    await expect(new PostgresKeyStore({ client: asked }).touch([])).resolves.toBeUndefined();
  });

  it('of 10 000 keys -> all written in one statement', async () => {
    await pool.query(`insert into api_keys (key_id, user_name, digest)
      select 'key_batch' || n, 'batch', 'sha256:' || encode(sha256(('b' || n)::bytea), 'hex') from generate_series(1, 10000) n`);
    const uses = Array.from({ length: 10_000 }, (_, n) => ({
      keyId: `key_batch${n + 1}`,
      usedAt: at(n),
    }));

    await restricted.touch(uses);

    const { rows } = await pool.query(
      "select count(distinct last_used_at)::int as count from api_keys where user_name = 'batch'",
    );
    expect(rows).toEqual([{ count: 10_000 }]);
    expect(await lastUseOf('key_batch10000')).toEqual(at(9_999));
  });

  it('of the same keys in any order by many at once, beside rotations and revocations -> no deadlock', async () => {
    const keys = await Promise.all(Array.from({ length: 30 }, () => inserted()));
    const next: string[] = [];
    for (const { keyId } of keys.slice(0, 10)) {
      const overlap = { overlapMs: 1_000, startsAt: 'first-use' } as const;
      next.push((await store.rotate(keyId, successor(at(0)), overlap)).record.keyId);
    }
    const ids = [...keys.map(({ keyId }) => keyId), ...next];
    const before = await deadlocks();

    await Promise.all(
      Array.from({ length: 40 }, async (_, round) => {
        const shuffled = ids.toSorted(() => Math.random() - 0.5);
        await restricted.touch(shuffled.map((keyId) => ({ keyId, usedAt: at(round) })));
        if (round % 8 === 0) await store.revoke(ids[10 + round / 8]!, at(0), { family: true });
      }),
    );

    for (const keyId of ids) expect(await lastUseOf(keyId)).toEqual(at(39));
    expect(await deadlocks()).toBe(before);
  });
});

async function deadlocks(): Promise<string> {
  // Statistics of other sessions are sent on when those are idle; before PostgreSQL 15, every half
  // second.
  await pool.query('select pg_stat_force_next_flush()').catch(() => delay(1_000));
  const { rows } = await pool.query<{ deadlocks: string }>(
    'select deadlocks::text from pg_stat_database where datname = current_database()',
  );
  return rows[0]!.deadlocks;
}

describe('the first use of a successor', () => {
  it.each([
    ['its overlap', undefined, at(1_000 + 250)],
    ['its own earlier expiry', at(1_100), at(1_100)],
  ])('by the restricted role -> ends the predecessor at %s', async (_what, expiresAt, end) => {
    const key = await inserted({ ...(expiresAt && { expiresAt }) });
    const overlap = { overlapMs: 250, startsAt: 'first-use' } as const;
    const { record, previous } = await store.rotate(key.keyId, successor(at(0)), overlap);
    expect(record.overlapMs).toBe(250);
    expect(previous.expiresAt).toEqual(expiresAt);

    // Both in one batch: the predecessor's own use must not get in the way.
    await restricted.touch([
      { keyId: key.keyId, usedAt: at(999) },
      { keyId: record.keyId, usedAt: at(1_000) },
    ]);
    await restricted.touch([{ keyId: record.keyId, usedAt: at(5_000) }]);

    expect(await store.get(key.keyId)).toMatchObject({ expiresAt: end, lastUsedAt: at(999) });
    expect(await store.get(record.keyId)).not.toHaveProperty('overlapMs');
    expect(await lastUseOf(record.keyId)).toEqual(at(5_000));
  });

  it('whose predecessor was removed -> no fault', async () => {
    const key = await inserted({ replaces: 'key_removed_long_ago', overlapMs: 5 });

    await expect(restricted.touch([{ keyId: key.keyId, usedAt: at(1) }])).resolves.toBeUndefined();

    expect(await store.get(key.keyId)).not.toHaveProperty('overlapMs');
  });
});

describe('the restricted role', () => {
  it('a look-up, an inspection, a migration of what is up to date -> allowed', async () => {
    const key = await inserted();

    expect(await restricted.findByDigest(key.digest)).toEqual(key);
    expect(await restricted.inspect()).toMatchObject({ state: 'ready' });
    await expect(restricted.migrate()).resolves.toBeUndefined();
  });

  it.each<[string, (keyId: string) => Promise<unknown>]>([
    ['insert', () => restricted.insert(storedKey())],
    ['update', (keyId) => restricted.update(keyId, { expiresAt: null })],
    ['rotate', (keyId) => restricted.rotate(keyId, successor(), { overlapMs: 1, startsAt: 'now' })],
    ['revoke', (keyId) => restricted.revoke(keyId, at(0), { family: false })],
    ['prune', () => restricted.prune(at(0))],
  ])('%s -> permission denied', async (_what, call) => {
    const { keyId } = await inserted();

    await expect(call(keyId)).rejects.toThrow(/permission denied/);
  });

  it("the function of the trigger that has its owner's rights, on a table of its own -> permission denied, no key ends", async () => {
    const { keyId } = await inserted();
    const client = await database.client();
    await client.query(`set role ${role}`);
    await client.query(
      'create temporary table bait (key_id text, replaces text, overlap_ms bigint, last_used_at timestamptz)',
    );

    const attached = client.query(
      'create trigger t after insert on bait for each row execute function public.api_keys_first_use()',
    );

    await expect(attached).rejects.toThrow(/permission denied/);
    expect(await store.get(keyId)).not.toHaveProperty('expiresAt');
  });
});

it('a use that lies two days ahead, from a server with a wrong clock -> counts as now, and stretches no overlap', async () => {
  const old = storedKey();
  const next = successor();
  await store.insert(old);
  await store.rotate(old.keyId, next, { overlapMs: 3_600_000, startsAt: 'first-use' });
  const now = Date.now();

  await store.touch([{ keyId: next.keyId, usedAt: new Date(now + 2 * 86_400_000) }]);

  const used = (await store.get(next.keyId))!.lastUsedAt!.getTime();
  const end = (await store.get(old.keyId))!.expiresAt!.getTime();
  expect(Math.abs(used - now)).toBeLessThan(60_000);
  expect(Math.abs(end - now - 3_600_000)).toBeLessThan(60_000);

  // By hand, the overlap is bound all the same.
  const [waiting, last] = [storedKey(), successor()];
  await store.insert(waiting);
  await store.rotate(waiting.keyId, last, { overlapMs: 3_600_000, startsAt: 'first-use' });
  await pool.query(
    `update api_keys set last_used_at = now() + interval '2 days' where key_id = $1`,
    [last.keyId],
  );
  const bound = (await store.get(waiting.keyId))!.expiresAt!.getTime();
  expect(Math.abs(bound - now - 3_600_000)).toBeLessThan(60_000);
});

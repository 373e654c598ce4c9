import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey, successor } from '../support/stored-key.js';

const database = await createDatabase();
const pool = database.pool();
const store = new PostgresKeyStore({ client: pool });
const now = new Date();

beforeAll(() => store.migrate());

describe('lists', () => {
  it('keys of one instant over several pages -> each once, newest first, then by id downwards', async () => {
    const user = 'pages';
    const times = [3, 1, 2, 2, 2, 1, 3].map((day) => new Date(Date.UTC(2025, 0, day)));
    const keys = times.map((createdAt) => storedKey({ user, createdAt }));
    for (const key of keys) await store.insert(key);

    const seen: string[] = [];
    for (let cursor: string | undefined; ; cursor = seen.at(-1)) {
      const page = await store.list({
        user,
        limit: 2,
        now,
        ...(cursor !== undefined && { cursor }),
      });
      if (page.length === 0) break;
      seen.push(...page.map(({ keyId }) => keyId));
    }

    const expected = keys.toSorted(
      (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.keyId < b.keyId ? 1 : -1),
    );
    expect(seen).toEqual(expected.map(({ keyId }) => keyId));
  });

  it('each status -> the first that fits', async () => {
    const user = 'statuses';
    const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000);
    const make = async (parts: Parameters<typeof storedKey>[0]) => {
      const key = storedKey({ user, ...parts });
      await store.insert(key);
      return key.keyId;
    };
    const active = await make({});
    const expiring = await make({ expiresAt: inDays(7) });
    const later = await make({ expiresAt: new Date(inDays(7).getTime() + 1) });
    const expired = await make({ expiresAt: now });
    const revoked = await make({ revokedAt: inDays(1), expiresAt: inDays(-1) });
    const rotating = await make({ expiresAt: inDays(2) });
    const next = await make({ replaces: rotating });
    const ids = async (status: 'active' | 'expiring' | 'rotating' | 'expired' | 'revoked') =>
      (await store.list({ user, status, limit: 50, now })).map(({ keyId }) => keyId).toSorted();

    expect(await ids('active')).toEqual([active, expiring, later, rotating, next].toSorted());
    expect(await ids('expiring')).toEqual([expiring]);
    expect(await ids('rotating')).toEqual([rotating]);
    expect(await ids('expired')).toEqual([expired]);
    expect(await ids('revoked')).toEqual([revoked]);
  });
});

describe('many rows', () => {
  const planned = async (text: string, values: unknown[]) => {
    // PostgreSQL 13 also shows a hashed alternative that it does not run, if that would fit into
    // this.
    const planner = await database.client({ options: '-c work_mem=64kB' });
    const { rows } = await planner.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };

  /** The statements that a store sends for a call, with their parameters. */
  async function sentFor(
    call: (spied: PostgresKeyStore) => Promise<unknown>,
  ): Promise<[string, unknown[]][]> {
    const sent: [string, unknown[]][] = [];
    const client = {
      query: async (text: string, values: unknown[] = []) => {
        sent.push([text, values]);
        return pool.query<pg.QueryResultRow>(text, values);
      },
    };
    await call(new PostgresKeyStore({ client }));
    return sent;
  }

  it('a look-up, a page, a rotation, a touch -> one statement each, by index, no scan of the table', async () => {
    await pool.query(`insert into api_keys (key_id, user_name, digest, created_at)
      select 'key_many' || n, 'user' || n % 100, 'sha256:' || encode(sha256(n::text::bytea), 'hex'), now() - n * interval '1 s'
      from generate_series(1, 50000) n`);
    await pool.query('analyze api_keys');
    const key = storedKey();
    const calls: ((spied: PostgresKeyStore) => Promise<unknown>)[] = [
      (spied) => spied.insert(key),
      (spied) => spied.findByDigest(key.digest),
      (spied) => spied.get(key.keyId),
      (spied) => spied.list({ limit: 20, now }),
      (spied) => spied.list({ limit: 20, now, cursor: 'key_many25000' }),
      (spied) => spied.list({ limit: 20, now, user: 'user7', cursor: 'key_many25007' }),
      (spied) => spied.update(key.keyId, { name: 'x' }),
      (spied) => spied.rotate(key.keyId, successor(), { overlapMs: 1, startsAt: 'first-use' }),
      (spied) => spied.touch([{ keyId: key.keyId, usedAt: now }]),
      (spied) => spied.revoke(key.keyId, now, { family: false }),
    ];

    for (const call of calls) {
      const sent = await sentFor(call);
      expect(sent).toHaveLength(1);
      const [text, values] = sent[0]!;
      expect(await planned(text, values)).not.toContain('Seq Scan');
    }
    const [[text, values] = ['', []]] = await sentFor((spied) => spied.findByDigest(key.digest));
    expect(await planned(text, values)).toContain('Index Scan using api_keys_digest_key');
  });
});

it('dead records -> deleted and counted, living ones kept', async () => {
  const before = new Date('2020-01-01T00:00:00.000Z');
  const dead = [
    storedKey({ revokedAt: new Date(before.getTime() - 1) }),
    storedKey({ expiresAt: new Date(0) }),
    storedKey({ revokedAt: before }),
    storedKey({ expiresAt: before }),
  ];
  const later = new Date(before.getTime() + 1);
  const kept = [storedKey({ revokedAt: later }), storedKey({ expiresAt: later }), storedKey()];
  for (const key of [...dead, ...kept]) await store.insert(key);
  const left = async (keys: typeof kept) => {
    const records = await Promise.all(keys.map(({ keyId }) => store.get(keyId)));
    return records.filter(Boolean).length;
  };

  expect(await store.prune(before)).toBeGreaterThanOrEqual(4);

  expect(await left(dead)).toBe(0);
  expect(await left(kept)).toBe(3);
});

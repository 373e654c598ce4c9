import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { recordOf, storedKey, successor } from '../support/stored-key.js';

const database = await createDatabase();
const pool = database.pool();
const store = new PostgresKeyStore({ client: pool });
const now = new Date();

beforeAll(() => store.migrate());

const update = (keyId: string, assignment: string) =>
  pool.query(`update api_keys set ${assignment} where key_id = $1`, [keyId]);

describe('what is stored', () => {
  it('a record with every part -> read back as it was', async () => {
    const key = storedKey({
      name: 'laptop',
      scopes: ['audio:write', 'a{},"\\b'],
      metadata: { nested: { list: [1, null, 'ü'] }, big: 9007199254740991 },
      lastUsedAt: new Date('2026-02-01T00:00:00.001Z'),
      expiresAt: new Date('+012345-06-07T08:09:10.011Z'),
      revokedAt: new Date('1969-12-31T23:59:59.999Z'),
      replaces: 'key_gone',
      overlapMs: 86_400_000,
    });

    expect(await store.insert(key)).toEqual(recordOf(key));
    expect(await store.findByDigest(key.digest)).toEqual(key);
    expect(await store.get(key.keyId)).toEqual(recordOf(key));
  });

  it.each([
    ['quotes', `o'neil "x" \\ $1 $body$`],
    ['SQL', `'; drop table api_keys; --`],
    ['wildcards', '%_*'],
    ['blanks around', '  alice  '],
    ['another script', '名前 🙂'],
    ['2 000 characters', 'u'.repeat(2_000)],
  ])('a user with %s -> kept and found literally', async (_what, user) => {
    const key = storedKey({ user, name: user, metadata: { [user]: user }, scopes: [user] });

    await store.insert(key);

    expect(await store.list({ user, limit: 5, now })).toEqual([recordOf(key)]);
  });

  it('a NUL character -> a clear error on the way in, no record on the way out', async () => {
    await expect(store.insert(storedKey({ user: 'a\0b' }))).rejects.toThrow(/NUL character/);
    await expect(store.insert(storedKey({ metadata: { a: '\0' } }))).rejects.toThrow(/NUL character/);
    expect(await store.get('a\0b')).toBeUndefined();
    expect(await store.findByDigest('a\0b')).toBeUndefined();
    expect(await store.list({ user: 'a\0b', limit: 5, now })).toEqual([]);
    await expect(store.update('a\0b', { name: 'x' })).rejects.toMatchObject({ code: 'unknown_key_id' });
    await expect(store.revoke('a\0b', now, { family: true })).rejects.toMatchObject({
      code: 'unknown_key_id',
    });
    await store.touch([{ keyId: 'a\0b', usedAt: now }]);
  });

  it('type parsers of the application -> change nothing', async () => {
    const nonsense = () => 'nonsense';
    const types = { getTypeParser: (oid: number) => (oid === 25 ? String : nonsense) } as never;
    const key = storedKey({ expiresAt: now, scopes: ['a'], metadata: { a: 1 }, overlapMs: 5 });
    const parsing = new PostgresKeyStore({ client: database.pool({ types }) });

    await parsing.insert(key);

    expect(await parsing.findByDigest(key.digest)).toEqual(key);
    expect(await parsing.prune(new Date(0))).toBe(1);
  });

  it('a session in another time zone and date style -> the same instants', async () => {
    const options = '-c timezone=Asia/Kolkata -c datestyle=SQL,DMY -c intervalstyle=sql_standard';
    const key = storedKey({ expiresAt: new Date('2027-03-28T01:30:00.5Z') });
    const abroad = new PostgresKeyStore({ client: database.pool({ options }) });

    await abroad.insert(key);

    expect(await abroad.findByDigest(key.digest)).toEqual(key);
    expect(await store.findByDigest(key.digest)).toEqual(key);
  });
});

describe('what was changed by hand', () => {
  it('expires_at of infinity -> never; of -infinity -> long past', async () => {
    const key = storedKey();
    await store.insert(key);

    await update(key.keyId, `expires_at = 'infinity'`);
    expect(await store.get(key.keyId)).not.toHaveProperty('expiresAt');

    await update(key.keyId, `expires_at = '-infinity'`);
    expect((await store.get(key.keyId))?.expiresAt?.getTime()).toBe(-8.64e15);
  });

  it('revoked_at of infinity -> revoked all the same', async () => {
    const key = storedKey();
    await store.insert(key);

    await update(key.keyId, `revoked_at = 'infinity'`);

    expect((await store.get(key.keyId))?.revokedAt?.getTime()).toBe(8.64e15);
    expect(await store.list({ status: 'revoked', limit: 500, now })).toContainEqual(
      expect.objectContaining({ keyId: key.keyId }),
    );
  });

  it('scopes or metadata of another form -> no crash', async () => {
    const key = storedKey();
    await store.insert(key);

    await update(key.keyId, `scopes = array[null, 'a'], metadata = 'null'`);

    expect(await store.get(key.keyId)).toMatchObject({ scopes: [null, 'a'], metadata: {} });
  });

  it.each([
    'sha256:abc',
    `sha256:${'A'.repeat(64)}`,
    'a'.repeat(64),
    `sha256:${'a'.repeat(64)}\n`,
    'the key itself',
  ])('a digest of %j -> refused by the table', async (digest) => {
    const key = storedKey();
    await store.insert(key);

    await expect(
      pool.query('update api_keys set digest = $1 where key_id = $2', [digest, key.keyId]),
    ).rejects.toMatchObject({ code: '23514' });
  });
});

describe('what the caller did wrong', () => {
  it('a taken key id or digest -> duplicate_key, nothing changed', async () => {
    const key = storedKey();
    await store.insert(key);

    const sameId = store.insert(storedKey({ keyId: key.keyId }));
    await expect(sameId).rejects.toMatchObject({ name: 'KeyStoreError', code: 'duplicate_key' });
    const sameDigest = store.insert(storedKey({ digest: key.digest }));
    await expect(sameDigest).rejects.toMatchObject({ code: 'duplicate_key' });
    expect(await store.findByDigest(key.digest)).toEqual(key);
  });

  it('an unknown key id -> unknown_key_id', async () => {
    const unknown = { code: 'unknown_key_id' };
    const overlap = { overlapMs: 0, startsAt: 'now' } as const;

    await expect(store.update('key_none', { name: 'x' })).rejects.toMatchObject(unknown);
    await expect(store.update('key_none', {})).rejects.toMatchObject(unknown);
    await expect(store.rotate('key_none', successor(), overlap)).rejects.toMatchObject(unknown);
    await expect(store.revoke('key_none', now, { family: false })).rejects.toMatchObject(unknown);
    await expect(store.list({ limit: 1, now, cursor: 'key_none' })).rejects.toMatchObject(unknown);
    expect(await store.get('key_none')).toBeUndefined();
  });

  it('a refused row -> an error that holds no digest anywhere', async () => {
    const digest = `sha256:${'AB'.repeat(32)}`;

    const error = await store.insert(storedKey({ digest })).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(Error);
    expect(inspectDeeply(error)).toMatch(/check constraint/);
    expect(inspectDeeply(error)).not.toMatch(/abab/i);
  });

  it('a client that puts its parameters into its errors -> no digest in what the store rejects with', async () => {
    const { digest } = storedKey();
    const chatty = {
      query: async (text: string, values?: unknown[]) => {
        throw Object.assign(new Error(`failed: ${text} with ${String(values)}`), {
          values,
          detail: String(values),
        });
      },
    };

    const error = await new PostgresKeyStore({ client: chatty })
      .findByDigest(digest)
      .catch((reason: unknown) => reason);

    expect(inspectDeeply(error)).toContain('findByDigest failed');
    expect(inspectDeeply(error)).not.toContain(digest.slice(7));
  });
});

function inspectDeeply(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  const own = Object.getOwnPropertyNames(error).map(
    (name) => (error as unknown as Record<string, unknown>)[name],
  );
  return own
    .map((value) => (value instanceof Error ? inspectDeeply(value) : JSON.stringify(value)))
    .join('\n');
}

describe('lists', () => {
  it('keys of one instant over several pages -> each once, newest first, then by id downwards', async () => {
    const user = 'pages';
    const times = [3, 1, 2, 2, 2, 1, 3].map((day) => new Date(Date.UTC(2025, 0, day)));
    const keys = times.map((createdAt) => storedKey({ user, createdAt }));
    for (const key of keys) await store.insert(key);

    const seen: string[] = [];
    for (let cursor: string | undefined; ; cursor = seen.at(-1)) {
      const page = await store.list({ user, limit: 2, now, ...(cursor !== undefined && { cursor }) });
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
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
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

it('dead records -> removed and counted, living ones kept', async () => {
  const before = new Date('2020-01-01T00:00:00.000Z');
  const dead = [
    storedKey({ revokedAt: new Date(before.getTime() - 1) }),
    storedKey({ expiresAt: new Date(0) }),
  ];
  const kept = [storedKey({ revokedAt: before }), storedKey({ expiresAt: before }), storedKey()];
  for (const key of [...dead, ...kept]) await store.insert(key);
  const left = async (keys: typeof kept) => {
    const records = await Promise.all(keys.map(({ keyId }) => store.get(keyId)));
    return records.filter(Boolean).length;
  };

  expect(await store.prune(before)).toBeGreaterThanOrEqual(2);

  expect(await left(dead)).toBe(0);
  expect(await left(kept)).toBe(3);
});

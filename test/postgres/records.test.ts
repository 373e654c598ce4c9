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
    await expect(store.insert(storedKey({ metadata: { a: '\0' } }))).rejects.toThrow(
      /NUL character/,
    );
    expect(await store.get('a\0b')).toBeUndefined();
    expect(await store.findByDigest('a\0b')).toBeUndefined();
    expect(await store.list({ user: 'a\0b', limit: 5, now })).toEqual([]);
    await expect(store.update('a\0b', { name: 'x' })).rejects.toMatchObject({
      code: 'unknown_key_id',
    });
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

  it('no answer in time -> an error whose cause has the code of the system for that', async () => {
    const silent = new PostgresKeyStore({
      client: { query: () => new Promise(() => {}) },
      queryTimeoutMs: 10,
    });

    await expect(silent.get('key_x')).rejects.toMatchObject({
      message: 'PostgresKeyStore: get failed: no answer within 10 ms',
      cause: { code: 'ETIMEDOUT', message: 'no answer within 10 ms' },
    });
  });
});

describe('what a statement that failed is called', () => {
  const failing = new PostgresKeyStore({
    client: { query: () => Promise.reject(new Error('down')) },
  });
  const { claims } = failing;
  const overlap = { overlapMs: 0, startsAt: 'now' } as const;
  const claim = { ...storedKey(), claimId: 'claim_x', tokenDigest: 'x', expiresAt: now };

  it.each<[string, () => Promise<unknown>]>([
    ['findByDigest', () => failing.findByDigest('x')],
    ['get', () => failing.get('x')],
    ['list', () => failing.list({ limit: 1, now })],
    ['insert', () => failing.insert(storedKey())],
    ['update', () => failing.update('x', { name: 'x' })],
    ['rotate', () => failing.rotate('x', successor(), overlap)],
    ['revoke', () => failing.revoke('x', now, { family: true })],
    ['touch', () => failing.touch([{ keyId: 'x', usedAt: now }])],
    ['prune', () => failing.prune(now)],
    ['findClaim', () => claims.find('x')],
    ['insertClaim', () => claims.insert(claim)],
    ['takeClaim', () => claims.take('x', successor())],
    ['listClaims', () => claims.list({ limit: 1, now })],
    ['revokeClaim', () => claims.revoke('x', now)],
    ['pruneClaims', () => claims.prune(now)],
  ])('%s -> its name stands in the error', async (name, call) => {
    await expect(call()).rejects.toThrow(`PostgresKeyStore: ${name} failed: down`);
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

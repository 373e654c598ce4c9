import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  ApiKeyManager,
  digestApiKey,
  generateApiKey,
  parseApiKey,
  type CreatedKey,
} from '../../src/index.js';
import { PostgresKeyStore, type PostgresClient } from '../../src/postgres.js';
import { clearTables, createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const pool = database.pool({ max: 10 });
const table = 'api_keys';
const owner = new ApiKeyManager({ store: new PostgresKeyStore({ client: pool }) });

beforeAll(() => new PostgresKeyStore({ client: pool }).migrate());
beforeEach(() => clearTables(pool));

/**
 * A client with nothing but `query`, which notes the look-ups that go through it and can hold them
 * back.
 */
class NotingClient implements PostgresClient {
  /** The digests of each look-up that was sent. */
  readonly sent: string[][] = [];
  underWay = 0;
  mostUnderWay = 0;
  before: (digests: readonly string[]) => Promise<void> | void = () => {};
  readonly #client: PostgresClient;

  constructor(client: PostgresClient = pool) {
    this.#client = client;
  }

  async query(text: string, values: unknown[] = []) {
    const digests = String(values[0]).match(/sha256:[0-9a-f]{64}/g);
    if (!digests || !text.includes('k.digest = any')) return this.#client.query(text, values);
    this.sent.push(digests);
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    try {
      await this.before(digests);
      return await this.#client.query(text, values);
    } finally {
      this.underWay--;
    }
  }
}

function open(client: PostgresClient, options: { queryTimeoutMs?: number } = {}, manager = {}) {
  // Long enough for a busy machine, if time is not what a test is about.
  const store = new PostgresKeyStore({ client, queryTimeoutMs: 20_000, ...options });
  const keys = new ApiKeyManager({ store, ...manager });
  onTestFinished(() => keys.close());
  const codeOf = async (key: string) => {
    const result = await keys.verify(key).catch((error: unknown) => error as Error);
    if (result instanceof Error) return 'fault';
    return result.ok ? 'admitted' : result.code;
  };
  const codesOf = (presented: readonly string[]) => Promise.all(presented.map(codeOf));
  return { keys, codeOf, codesOf };
}

/** Keys that are in the table. */
async function insertKeys(count: number): Promise<string[]> {
  const made = Array.from({ length: count }, () => generateApiKey());
  await pool.query(
    `insert into ${table} (key_id, user_name, digest) select i, i, d from unnest($1::text[], $2::text[]) as k (i, d)`,
    [made.map(({ keyId }) => keyId), made.map(({ digest }) => digest)],
  );
  return made.map(({ key }) => key);
}

const madeUp = (count: number) => Array.from({ length: count }, () => generateApiKey().key);
const all = (count: number, code: string) => Array.from({ length: count }, () => code);
const create = (): Promise<CreatedKey> => owner.create({ user: 'alice' });

describe('N different cold keys at once -> N / 500 + 2 statements at most, never more than two under way', () => {
  it.each([1, 2, 3, 40, 499, 500, 501, 1_000, 2_345])('%d known keys', async (count) => {
    const client = new NotingClient();
    const presented = await insertKeys(count);

    expect(await open(client).codesOf(presented)).toEqual(all(count, 'admitted'));

    expect(client.sent.length).toBeLessThanOrEqual(count / 500 + 2);
    expect(client.mostUnderWay).toBeLessThanOrEqual(2);
    expect(Math.max(...client.sent.map(({ length }) => length))).toBeLessThanOrEqual(500);
    expect(client.sent.flat().toSorted()).toEqual(presented.map(digestApiKey).toSorted());
  });

  it('1 000 made-up keys', async () => {
    const client = new NotingClient();

    expect(await open(client).codesOf(madeUp(1_000))).toEqual(all(1_000, 'invalid_api_key'));

    expect(client.sent.length).toBeLessThanOrEqual(4);
    expect(client.mostUnderWay).toBeLessThanOrEqual(2);
  });

  it('a key alone -> asked for at once, before anything else happens', async () => {
    const client = new NotingClient();
    const store = new PostgresKeyStore({ client });

    const found = store.findByDigest(generateApiKey().digest);

    expect(client.sent).toHaveLength(1);
    expect(await found).toBeUndefined();
  });

  it('two stores on one pool -> two under way between them, and both are served', async () => {
    const client = new NotingClient();
    client.before = () => delay(5);
    const store = new PostgresKeyStore({ client, table: 'more_keys' });
    await store.migrate();
    const other = new ApiKeyManager({ store });
    const presented = await insertKeys(20);

    const [mine, others] = await Promise.all([
      open(client).codesOf(presented),
      Promise.all(madeUp(20).map((key) => other.verify(key))),
    ]);

    expect(mine).toEqual(all(20, 'admitted'));
    expect(others.map(({ ok }) => ok)).toEqual(Array.from({ length: 20 }, () => false));
    expect(client.mostUnderWay).toBe(2);
    expect(client.sent.length).toBeLessThanOrEqual(6);
  });
});

describe('a flood of made-up keys', () => {
  it('the application’s pool -> two look-ups of it at a time, and its own queries are answered between them', async () => {
    const shared = database.pool({ max: 3 });
    const client = new NotingClient(shared);
    const { codesOf } = open(client);
    let answered = 0;
    client.before = async () => {
      await shared.query('select 1');
      answered++;
    };

    await codesOf(madeUp(5_000));

    expect(client.mostUnderWay).toBe(2);
    expect(answered).toBe(client.sent.length);
  });
});

describe('a record broken by hand', () => {
  /** Reading the named user's row fails by itself, as a column computed by a view may. */
  async function breakStatementsOn(keyId: string): Promise<void> {
    await pool.query(`alter table ${table} rename to real_keys;
      create view ${table} as select key_id, user_name, name, digest, scopes, metadata, created_at, last_used_at, expires_at, revoked_at,
        replaces, overlap_ms / case when key_id = '${keyId}' then 0 else 1 end as overlap_ms from real_keys`);
    onTestFinished(async () => {
      await pool.query(`drop view ${table}; alter table real_keys rename to ${table}`);
    });
  }

  it.each([
    ['scopes that are none', `scopes = array['a b', null]`],
    ['metadata that are none', `metadata = '[1]'`],
    ['a user that is none', `user_name = ''`],
  ])('%s -> keeps out its own key among 500 and no other', async (_what, change) => {
    const presented = await insertKeys(500);
    const broken = parseApiKey(presented[250])!.keyId;
    await pool.query(`update ${table} set ${change} where key_id = $1`, [broken]);
    const client = new NotingClient();

    const codes = await open(client).codesOf(presented);

    expect(codes).toEqual(all(500, 'admitted').with(250, 'fault'));
    expect(client.sent.length).toBeLessThanOrEqual(3);
  });

  it('one that makes the whole statement fail -> its batch is asked again in halves', async () => {
    const presented = await insertKeys(500);
    const broken = parseApiKey(presented[250])!.keyId;
    await pool.query(`update ${table} set overlap_ms = 1 where key_id = $1`, [broken]);
    await breakStatementsOn(broken);
    const client = new NotingClient();
    const { codesOf, codeOf } = open(client);

    expect(await codesOf(presented)).toEqual(all(500, 'admitted').with(250, 'fault'));
    expect(client.sent.length).toBeLessThanOrEqual(1 + 1 + 2 * Math.ceil(Math.log2(499)));
    expect(client.mostUnderWay).toBeLessThanOrEqual(2);
    // The store is not taken to be down either.
    expect(await codeOf(madeUp(1)[0]!)).toBe('invalid_api_key');
  });

  it('one that makes it fail, slowly -> the next cold key is asked for all the same', async () => {
    const presented = await insertKeys(2);
    const broken = parseApiKey(presented[0])!.keyId;
    await pool.query(`update ${table} set overlap_ms = 1 where key_id = $1`, [broken]);
    await breakStatementsOn(broken);
    const client = new NotingClient();
    client.before = () => delay(50);
    const { codeOf } = open(client);

    expect(await codeOf(presented[0]!)).toBe('fault');
    expect(await codeOf(presented[1]!)).toBe('admitted');
  });

  it('a statement that fails for another reason -> is not sent again', async () => {
    const client = new NotingClient();
    client.before = () => {
      throw Object.assign(new Error('gone'), { code: 'ECONNREFUSED' });
    };

    expect(await open(client).codesOf(await insertKeys(100))).toEqual(all(100, 'fault'));

    expect(client.sent).toHaveLength(2);
  });
});

describe('look-ups that wait', () => {
  /** Both places taken until they are released. */
  async function occupied(store: { queryTimeoutMs?: number } = {}) {
    const client = new NotingClient();
    const opened = open(client, store);
    const occupant = new PostgresKeyStore({ client });
    await opened.codeOf(madeUp(1)[0]!);
    client.sent.length = 0;
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    client.before = () => held;
    const occupants = Promise.allSettled(
      [1, 2].map(() => occupant.findByDigest(generateApiKey().digest)),
    );
    onTestFinished(async () => {
      release();
      await occupants;
    });
    await delay(5);
    expect(client.underWay).toBe(2);
    return { client, ...opened, release, occupants };
  }

  it('all that arrive meanwhile -> one statement', async () => {
    const { client, codesOf, release } = await occupied();
    const presented = await insertKeys(100);
    const first = codesOf(presented.slice(0, 50));
    await delay(5);
    const second = codesOf(presented.slice(50));
    await delay(5);
    release();

    expect([...(await first), ...(await second)]).toEqual(all(100, 'admitted'));
    expect(client.sent.map(({ length }) => length)).toEqual([1, 1, 100]);
  });

  it('a key revoked while it waits -> refused, for its statement is sent afterwards', async () => {
    const { keys, codeOf, release } = await occupied();
    const { key, record } = await create();
    const before = codeOf(key);
    await delay(5);
    await keys.revoke(record.keyId);
    const after = codeOf(key);
    release();

    expect([await before, await after]).toEqual(['revoked_api_key', 'revoked_api_key']);
  });

  it('a key revoked after its statement was sent -> a later request asks again, and what raced is not kept', async () => {
    const client = new NotingClient();
    const { keys, codeOf } = open(client);
    await codeOf(madeUp(1)[0]!);
    const { key, record } = await create();
    const stale = await pool.query<pg.QueryResultRow>(`select * from ${table}`);
    expect(stale.rows).toHaveLength(1);
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const query = client.query.bind(client);
    client.query = async (text, values) => {
      const answer = await query(text, values);
      await held;
      return answer;
    };
    const early = codeOf(key);
    await delay(20);
    client.query = query;
    await keys.revoke(record.keyId);
    expect(await codeOf(key)).toBe('revoked_api_key');
    release();
    expect(await early).toBe('admitted');
    expect(await codeOf(key)).toBe('revoked_api_key');
  });

  it('longer than queryTimeoutMs -> a fault in time, and they are never asked for', async () => {
    const { client, codesOf, release, occupants } = await occupied({ queryTimeoutMs: 300 });
    const startedAt = performance.now();
    expect(await codesOf(madeUp(100))).toEqual(all(100, 'fault'));
    // In the time that was set, not in the 2 s that are the default.
    expect(performance.now() - startedAt).toBeLessThan(1_800);
    release();
    await occupants;
    await delay(20);

    expect(client.sent).toHaveLength(2);
  });

  it('the limit counts from the request -> one that waited long is given up before one that came late', async () => {
    const { client, codeOf, release } = await occupied({ queryTimeoutMs: 400 });
    const old = codeOf(madeUp(1)[0]!);
    await delay(200);
    client.before = () => delay(300);
    release();
    await delay(20);
    // Counted from when it was sent, the limit would let the answer come in time.
    expect(await old).toBe('fault');
  });
});

it('one failed statement -> one failure for the circuit breaker, not one for each key', async () => {
  const client = new NotingClient();
  const { codesOf, codeOf } = open(client, {}, { cacheTtlMs: 0 });
  const warm = await insertKeys(2);
  expect(await codesOf(warm)).toEqual(['admitted', 'admitted']);
  client.sent.length = 0;
  client.before = async () => {
    await delay(60);
    throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
  };

  expect(await codesOf(madeUp(200))).toEqual(all(200, 'fault'));

  expect(client.sent).toHaveLength(2);
  // It is down now: no second statement is sent for the next ones.
  expect(await codeOf(madeUp(1)[0]!)).toBe('fault');
  expect(await codeOf(warm[0]!)).toBe('admitted');
  expect(client.sent).toHaveLength(2);
});

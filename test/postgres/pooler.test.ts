import pg from 'pg';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, folder } from '../support/cli.js';
import { describeWithPgBouncer, startPgBouncer } from '../support/pgbouncer.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey } from '../support/stored-key.js';
import { recordingWatcher } from '../support/watcher.js';

const database = await createDatabase();
const direct = database.pool();
const outside = new PostgresKeyStore({ client: direct });
const now = new Date();
const opened: { end(): Promise<void> }[] = [];

beforeEach(async () => {
  await direct.query('drop schema public cascade; create schema public');
  await outside.migrate();
});

/** A pool of the test's own, like one process of an application. */
function poolOn(url: string, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 4, ...options });
  opened.push(pool);
  return pool;
}

function managerOn(url: string, cacheTtlMs = 30_000): ApiKeyManager {
  const store = new PostgresKeyStore({ client: poolOn(url), queryTimeoutMs: 5_000 });
  const keys = new ApiKeyManager({ store, cacheTtlMs });
  opened.push({ end: () => keys.close() });
  return keys;
}

// Managers end before their pools, and all before the pooler.
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.end();
});

const codeOf = async (keys: ApiKeyManager, key: string) => {
  const verdict = await keys.verify(key);
  return verdict.ok ? verdict.apiKey.user : verdict.code;
};

async function doctor(url: string) {
  const { stdout } = await cli(['doctor', '--json', '--variable', 'X'], {
    cwd: folder(),
    env: { DATABASE_URL: url, X: 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a' },
  });
  return (JSON.parse(stdout) as { findings: { code: string; message: string; remedy: string }[] })
    .findings;
}

describeWithPgBouncer('PgBouncer in transaction mode', () => {
  it('three processes that migrate an empty database through it -> the tables, whole', async () => {
    await direct.query('drop schema public cascade; create schema public');
    const url = await startPgBouncer(database.url);
    const stores = [1, 2, 3].map(() => new PostgresKeyStore({ client: poolOn(url) }));

    await Promise.all(stores.map((store) => store.migrate()));

    expect(await outside.inspect()).toMatchObject({ state: 'ready' });
  });

  it('a table of plaintext keys -> adopted through it', async () => {
    const url = await startPgBouncer(database.url);
    await direct.query(`create table plain (id serial primary key, user_name text, api_key text unique,
      created_at timestamp, last_used timestamp, is_active boolean);
      insert into plain (user_name, api_key, is_active) select 'user ' || n, 'plaintext-key-of-user-' || n, true
      from generate_series(1, 500) n`);

    const store = new PostgresKeyStore({ client: poolOn(url), table: 'plain' });
    expect(await store.adopt()).toMatchObject({ adopted: 500 });
  });

  it('300 keys of 300 users asked for by three processes at once -> each its user, unknown ones refused', async () => {
    const url = await startPgBouncer(database.url);
    const processes = [1, 2, 3].map(() => managerOn(url));
    const made = await Promise.all(
      Array.from({ length: 300 }, (_, n) => processes[n % 3]!.create({ user: `user ${n}` })),
    );

    for (const keys of processes) {
      const answers = await Promise.all(
        made.flatMap(({ key }) => [codeOf(keys, key), codeOf(keys, generateApiKey().key)]),
      );
      expect(answers).toEqual(made.flatMap(({ record }) => [record.user, 'invalid_api_key']));
    }
  });

  it('changes of six operators and of psql, on two connections that they share -> each event names who made it', async () => {
    const url = await startPgBouncer(database.url, { poolSize: 2 });
    const made = Array.from({ length: 24 }, () => storedKey());
    for (const key of made) await outside.insert(key);
    await direct.query('truncate api_keys_events');
    const people = ['ann', 'ben', 'cem', 'dan', 'eva', 'fay'];
    const stores = people.map(() => new PostgresKeyStore({ client: poolOn(url, { max: 2 }) }));
    const psql = poolOn(url);
    const expected = new Map<string, string>();

    await Promise.all(
      Array.from({ length: 600 }, async (_, n) => {
        const { keyId } = made[n % 24]!;
        const name = `change ${n}`;
        if (n % 7 === 6) {
          expected.set(name, 'sql postgres');
          await psql.query('update api_keys set name = $1 where key_id = $2', [name, keyId]);
          return;
        }
        const by = people[n % 7]!;
        const via = n % 2 === 0 ? 'desk' : 'cli';
        expected.set(name, `${via} ${by}`);
        const context = { by, via, at: now, reason: name } as const;
        await stores[n % 7]!.update(keyId, { name }, { context });
      }),
    );

    const events = await outside.events.list({ limit: 1_000 });
    const said = events.map(({ by, via, changes }) => [changes!.name![1], `${via} ${by}`] as const);
    expect(said).toHaveLength(600);
    expect(new Map(said as [string, string][])).toEqual(expected);
    for (const { via, reason, changes } of events)
      expect(reason).toBe(via === 'sql' ? undefined : changes!.name![1]);
  });

  it('20 keys wanted at once by one user who may have three -> three', async () => {
    const url = await startPgBouncer(database.url);
    const processes = [1, 2].map(() => {
      const store = new PostgresKeyStore({ client: poolOn(url), queryTimeoutMs: 5_000 });
      return new ApiKeyManager({ store, maxKeysPerUser: 3 });
    });
    opened.push(...processes.map((keys) => ({ end: () => keys.close() })));

    const made = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => processes[n % 2]!.create({ user: 'alice' })),
    );

    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(await processes[0]!.list({ user: 'alice' })).toHaveLength(3);
  });

  it('a key that another process revokes -> refused within cacheTtlMs through it, under 1 s past it', async () => {
    const cacheTtlMs = 3_000;
    const url = await startPgBouncer(database.url);
    const operator = managerOn(url);
    const through = managerOn(url, cacheTtlMs);
    const past = managerOn(database.url);
    const { key, record } = await operator.create({ user: 'alice' });
    await expect.poll(() => codeOf(past, key)).toBe('alice');
    expect(await codeOf(through, key)).toBe('alice');

    await operator.revoke(record.keyId);
    const revokedAt = performance.now();

    await expect.poll(() => codeOf(past, key), { timeout: 1_000 }).toBe('revoked_api_key');
    await expect
      .poll(() => codeOf(through, key), { timeout: cacheTtlMs + 1_000, interval: 50 })
      .toBe('revoked_api_key');
    expect(performance.now() - revokedAt).toBeLessThan(cacheTtlMs + 1_000);
  });

  it('a pool that listens through it -> never taken for connected, and leaves two channels at most', async () => {
    const url = await startPgBouncer(database.url, { poolSize: 1 });
    const pool = poolOn(url);
    const watcher = recordingWatcher();
    const store = new PostgresKeyStore({ client: pool, queryTimeoutMs: 100 });
    const watch = store.watch!(watcher);
    onTestFinished(() => watch.close());

    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await watch.close();

    expect(watcher.told).toEqual([]);
    // On the one connection to the server, which served every attempt.
    const { rows } = await pool.query('select pg_listening_channels()');
    expect(rows).toHaveLength(2);
  });

  it('a single client through it, which may hear itself by chance -> never taken for connected', async () => {
    const url = await startPgBouncer(database.url, { poolSize: 1 });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    opened.push(client);
    const watcher = recordingWatcher();
    const watch = new PostgresKeyStore({ client, heartbeatMs: 50 }).watch!(watcher);

    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await watch.close();

    expect(watcher.told).toEqual([]);
  });

  it('doctor -> no_listener, with an address that works when pasted', async () => {
    const findings = await doctor(await startPgBouncer(database.url));

    expect(findings.map(({ code }) => code)).toEqual(['no_listener']);
    expect(findings[0]!.message).toContain('PgBouncer');
    const [address] = /postgres:\S+/.exec(findings[0]!.remedy) ?? [];
    expect(address).toBe(database.url);
    expect(await doctor(address!)).toEqual([]);
  });

  it('a parameter that it does not know -> doctor says which, and what to do', async () => {
    const url = await startPgBouncer(database.url);

    const [finding] = await doctor(`${url}?options=-c%20search_path=public`);

    expect(finding).toMatchObject({ code: 'unreachable_database' });
    expect(finding!.message).toContain('unsupported startup parameter: options');
    expect(finding!.remedy).toContain('remove the parameter');
    expect(await doctor(url)).toMatchObject([{ code: 'no_listener' }]);
  });
});

describeWithPgBouncer('PgBouncer in session mode', () => {
  it('a key that another process revokes -> refused under 1 s; doctor finds nothing', async () => {
    const url = await startPgBouncer(database.url, { mode: 'session', poolSize: 20 });
    const keys = managerOn(url);
    const operator = managerOn(url);
    const { key, record } = await operator.create({ user: 'alice' });
    expect(await codeOf(keys, key)).toBe('alice');
    const watcher = recordingWatcher();
    const watch = new PostgresKeyStore({ client: poolOn(url) }).watch!(watcher);
    await watcher.until('connected');
    await watch.close();

    await operator.revoke(record.keyId);

    await expect.poll(() => codeOf(keys, key), { timeout: 1_000 }).toBe('revoked_api_key');
    expect(await doctor(url)).toEqual([]);
  });
});

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PostgresKeyStore, type PostgresKeyStoreOptions } from '../../src/postgres.js';
import { createDatabase, startServer } from '../support/postgres.js';
import { storedKey } from '../support/stored-key.js';
import { watchUnhandled } from '../support/unhandled.js';
import { recordingWatcher } from '../support/watcher.js';

const database = await createDatabase();
const pool = database.pool();
const store = new PostgresKeyStore({ client: pool });
const byHand = await database.client();

beforeAll(() => store.migrate());

function watching(options: Partial<PostgresKeyStoreOptions> = {}) {
  const watched = new PostgresKeyStore({
    client: pool,
    heartbeatMs: 30,
    queryTimeoutMs: 500,
    ...options,
  });
  const watcher = recordingWatcher();
  const watch = watched.watch!(watcher);
  onTestFinished(() => watch.close());
  return { watcher, watch, watched };
}

const listeners = async () => {
  const { rows } = await byHand.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
     and (query like 'listen%' or query like '%pg_trigger%')`,
  );
  return rows.map(({ pid }) => pid);
};

describe('through a pool', () => {
  it('a change by hand -> told within a second, with its key id', async () => {
    const { watcher } = watching();
    await watcher.until('connected');
    const key = storedKey();
    await store.insert(key);
    await watcher.until(`changed ${key.keyId}`);

    const startedAt = performance.now();
    await byHand.query('update api_keys set revoked_at = now() where key_id = $1', [key.keyId]);
    await watcher.until(`changed ${key.keyId}`, 2);

    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('truncate -> changed with an empty key id', async () => {
    const { watcher } = watching();
    await watcher.until('connected');

    await byHand.query('truncate api_keys');

    await watcher.until('changed ');
  });

  it('while it works -> alive again and again, and no place of the pool is taken', async () => {
    const small = database.pool({ max: 1 });
    const { watcher } = watching({ client: small });

    await watcher.until('alive', 3);

    expect(watcher.told.slice(0, 3)).toEqual(['connected', 'alive', 'alive']);
    expect(small.totalCount - small.idleCount).toBe(0);
    expect(watcher.told).not.toContain('disconnected');
  });

  it('a pool that does not tell how to connect -> a connection out of it, given back at the end', async () => {
    const inner = database.pool({ max: 2 });
    const wrapped = {
      query: async (text: string, values?: unknown[]) =>
        inner.query<pg.QueryResultRow>(text, values),
      connect: async () => inner.connect(),
      on: inner.on.bind(inner),
      off: inner.off.bind(inner),
      totalCount: 0,
    };
    const { watcher, watch } = watching({ client: wrapped });

    await watcher.until('alive');
    expect(inner.totalCount - inner.idleCount).toBe(1);
    await watch.close();

    expect(inner.totalCount - inner.idleCount).toBe(0);
  });

  it('the connection is ended by the server -> told once, and connected again', async () => {
    const unhandled = watchUnhandled();
    const { watcher } = watching();
    await watcher.until('connected');
    await watcher.until('alive');

    for (const pid of await listeners())
      await byHand.query('select pg_terminate_backend($1)', [pid]);

    await watcher.until('connected', 2);
    expect(watcher.told.filter((each) => each !== 'alive')).toEqual([
      'connected',
      'disconnected',
      'connected',
    ]);
    const key = storedKey();
    await store.insert(key);
    await watcher.until(`changed ${key.keyId}`);
    expect(await unhandled.settled()).toEqual([]);
  });

  it('close, twice -> nothing more is told, the connection is gone, the pool is not', async () => {
    const { watcher, watch } = watching();
    await watcher.until('alive');
    const before = (await listeners()).length;

    await Promise.all([watch.close(), watch.close()]);
    await watch.close();
    await store.insert(storedKey());

    await expect.poll(async () => (await listeners()).length).toBeLessThan(before);
    expect(watcher.told.at(-1)).toBe('disconnected');
    expect((await pool.query('select 1')).rows).toHaveLength(1);
  });

  it('close before it is connected -> never connected, nothing left behind', async () => {
    const unhandled = watchUnhandled();
    const { watcher, watch } = watching();

    await watch.close();
    await new Promise((resolve) => setTimeout(resolve, 200));

    expect(watcher.told).toEqual([]);
    expect(await unhandled.settled()).toEqual([]);
  });

  it('a LISTEN that is taken and never served, as by a pooler of transactions -> never said to be connected', async () => {
    // Such a pooler passes LISTEN on to a connection that the next statement does not get.
    class Deaf extends pg.Client {
      override emit(event: string | symbol, ...args: unknown[]): boolean {
        return event === 'notification' ? false : super.emit(event, ...(args as []));
      }
    }
    const deaf = new pg.Pool({ connectionString: database.url, Client: Deaf });
    const { watcher, watch } = watching({ client: deaf, queryTimeoutMs: 100 });

    await new Promise((resolve) => setTimeout(resolve, 400));

    expect(watcher.told).toEqual([]);
    await watch.close();
    await deaf.end();
  });

  it('a database that does not let it in -> it goes on trying, without a word', async () => {
    const unhandled = watchUnhandled();
    const closed = new pg.Pool({ host: '127.0.0.1', port: 1 });
    const connect = vi.spyOn(pg.Client.prototype, 'connect');
    const { watcher } = watching({ client: closed });

    await expect.poll(() => connect.mock.calls.length).toBeGreaterThan(2);

    expect(watcher.told).toEqual([]);
    expect(await unhandled.settled()).toEqual([]);
    connect.mockRestore();
  });
});

it('how long the store is taken to be there after it said so -> a heartbeat and the most that the next may take', () => {
  const { watch } = watching({ heartbeatMs: 70, queryTimeoutMs: 500 });

  expect(watch.aliveForMs).toBe(70 + 4 * 500);
});

it('every step of a heartbeat that takes its time -> alive again before that is over', async () => {
  let delayMs = 0;
  const queryTimeoutMs = 800;
  class Slow extends pg.Client {
    // oxlint-disable-next-line typescript/no-explicit-any
    override query(...args: any[]): any {
      const answer = super.query(...(args as [string])) as unknown;
      const wait = async (rows: unknown) => {
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        return rows;
      };
      // oxlint-disable-next-line typescript/no-unsafe-return
      return answer instanceof Promise ? answer.then(wait) : answer;
    }

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'notification')
        setTimeout(() => super.emit(event, ...(args as [])), 2 * delayMs);
      else return super.emit(event, ...(args as []));
      return true;
    }
  }
  const slow = new pg.Pool({ connectionString: database.url, Client: Slow });
  onTestFinished(() => slow.end());
  const { watcher, watch } = watching({ client: slow, heartbeatMs: 30, queryTimeoutMs });
  await watcher.until('alive');
  delayMs = 550;
  const startedAt = performance.now();
  const before = watcher.told.filter((each) => each === 'alive').length;
  await watcher.until('alive', before + 2);

  expect(watcher.told).not.toContain('disconnected');
  expect((performance.now() - startedAt) / 2).toBeGreaterThan(3 * 550);
  expect((performance.now() - startedAt) / 2).toBeLessThan(watch.aliveForMs!);
  await watch.close();
});

it("the caller's own client in a transaction, which holds announcements back -> given up in time, and taken up again", async () => {
  const client = await database.client();
  const { watcher } = watching({ client, queryTimeoutMs: 200 });
  await watcher.until('alive');
  await client.query('begin');
  await watcher.until('disconnected');
  await client.query('commit');
  await watcher.until('connected', 2);
});

it('a script that watches and never closes -> ends by itself', async () => {
  const script = `
    import pg from 'pg';
    import { PostgresKeyStore } from ${JSON.stringify(new URL('../../src/postgres.ts', import.meta.url).href)};
    const client = new pg.Pool({ connectionString: ${JSON.stringify(database.url)}, allowExitOnIdle: true });
    const other = setInterval(() => {}, 1000);
    const told = (what) => () => console.log(what);
    const alive = () => (console.log('alive'), clearInterval(other));
    new PostgresKeyStore({ client, heartbeatMs: 10 }).watch({ connected: told('connected'), alive,
      changed: told('changed'), disconnected: told('disconnected') });`;

  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script],
    { timeout: 15_000 },
  );

  expect(stdout).toMatch(/^connected\nalive\n/);
});

describe('a server of its own', async () => {
  const server = await startServer();
  const client = server.pool({ max: 3 });
  const options = { client, heartbeatMs: 50, queryTimeoutMs: 300 };
  const outside = new PostgresKeyStore(options);
  const key = storedKey();

  beforeAll(async () => {
    await outside.migrate();
    await outside.insert(key);
  });

  // A test that failed half way must not take those after it along.
  afterEach(() => server.ensureRunning());

  it('frozen -> look-ups fail in time, the watch is lost once; thawed -> both work again', async () => {
    const unhandled = watchUnhandled();
    const { watcher } = watching(options);
    await watcher.until('alive');

    await server.freeze();
    const startedAt = performance.now();
    const lookUps = await Promise.allSettled(
      Array.from({ length: 8 }, () => outside.findByDigest(key.digest)),
    );
    expect(performance.now() - startedAt).toBeLessThan(1_800);
    expect(lookUps.map(({ status }) => status)).toEqual(
      Array.from({ length: 8 }, () => 'rejected'),
    );
    await expect(outside.findByDigest(key.digest)).rejects.toThrow(/no answer within \d+ ms/);
    await watcher.until('disconnected');
    await server.thaw();

    await watcher.until('connected', 2);
    await expect.poll(() => outside.findByDigest(key.digest).catch(() => undefined)).toEqual(key);
    // No connection that got no answer is left in the pool.
    for (let round = 0; round < 6; round++)
      expect(await outside.findByDigest(key.digest)).toEqual(key);
    expect(client.waitingCount).toBe(0);
    expect(client.totalCount).toBeLessThanOrEqual(3);
    expect(watcher.told.filter((each) => each === 'disconnected')).toHaveLength(1);
    await outside.update(key.keyId, { name: 'after' });
    await watcher.until(`changed ${key.keyId}`);
    expect(await unhandled.settled()).toEqual([]);
  });

  it('frozen while the watch is closed -> closed within a second', async () => {
    const { watcher, watch } = watching(options);
    await watcher.until('alive');

    await server.freeze();
    const startedAt = performance.now();
    await watch.close();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await server.thaw();
  });

  it('killed -> look-ups fail at once with the reason; started again -> both work again', async () => {
    const unhandled = watchUnhandled();
    // Without an error listener of the application's: an idle connection that breaks must not end
    // the process.
    const bare = new pg.Pool({ connectionString: server.url });
    const { watcher, watch, watched } = watching({ ...options, client: bare });
    await watcher.until('alive');
    await watched.findByDigest(key.digest);

    await server.kill();
    await watcher.until('disconnected');
    await expect(watched.findByDigest(key.digest)).rejects.toThrow(
      /findByDigest failed: .*(ECONNREFUSED|ECONNRESET|terminated)/,
    );
    await server.restart();

    await watcher.until('connected', 2);
    expect((await watched.findByDigest(key.digest))?.keyId).toBe(key.keyId);
    expect(watcher.told.filter((each) => each === 'disconnected')).toHaveLength(1);
    expect(await unhandled.settled()).toEqual([]);
    await watch.close();
    await bare.end();
  });

  it('a pg Client of the caller, killed -> fails, never crashes, never hangs', async () => {
    const unhandled = watchUnhandled();
    const own = new pg.Client({ connectionString: server.url });
    await own.connect();
    const { watcher, watch, watched } = watching({ ...options, client: own });
    await watcher.until('alive');

    await server.kill();
    await watcher.until('disconnected');
    await expect(watched.findByDigest(key.digest)).rejects.toThrow();
    await watch.close();
    await server.restart();

    expect(await unhandled.settled()).toEqual([]);
  });
});

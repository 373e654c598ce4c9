import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { startGuardedProcess, type GuardedProcess } from '../support/start-guarded-process.js';

const database = await createDatabase();
const { url } = database;
const store = new PostgresKeyStore({ client: database.pool() });
const admin = database.pool({ max: 2 });
let keys: ApiKeyManager;

beforeAll(() => store.migrate());
beforeEach(() => {
  keys = new ApiKeyManager({ store });
  onTestFinished(() => keys.close());
});

const start = (count: number, options: object = {}) =>
  Promise.all(Array.from({ length: count }, () => startGuardedProcess({ url, ...options })));

/** Asks until every process answers so, for at most a second: the promise. */
const withinASecond = (processes: readonly GuardedProcess[], key: string, code: string) =>
  vi.waitFor(
    async () => {
      for (const each of processes) expect((await each.ask(key)).code).toBe(code);
    },
    { timeout: 1_000, interval: 10 },
  );

const admitsEverywhere = async (processes: readonly GuardedProcess[], key: string) => {
  for (const each of processes) expect((await each.ask(key)).code).toBe('admitted');
};

function psql(statement: string): void {
  execFileSync('psql', [
    '--quiet',
    '--no-psqlrc',
    '--set=ON_ERROR_STOP=1',
    '--command',
    statement,
    url,
  ]);
}

function hasPsql(): boolean {
  try {
    execFileSync('psql', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('revoke, rotate, update, expire seen in every other process on the same PostgreSQL: under 1 s', () => {
  it('a change in one process -> seen in two others', async () => {
    const others = await start(2);

    const revoked = await keys.create({ user: 'alice' });
    await admitsEverywhere(others, revoked.key);
    await keys.revoke(revoked.record.keyId);
    await withinASecond(others, revoked.key, 'revoked_api_key');

    const rotated = await keys.create({ user: 'alice' });
    await admitsEverywhere(others, rotated.key);
    const { key: successor } = await keys.rotate(rotated.record.keyId, { overlapMs: 0 });
    await withinASecond(others, rotated.key, 'expired_api_key');
    await admitsEverywhere(others, successor);

    const expired = await keys.create({ user: 'alice', scopes: ['a'] });
    await admitsEverywhere(others, expired.key);
    await keys.update(expired.record.keyId, { scopes: ['b'] });
    await vi.waitFor(async () => {
      for (const each of others)
        expect((await each.ask(expired.key)).apiKey?.scopes).toEqual(['b']);
    }, 1_000);
    await keys.update(expired.record.keyId, { expiresAt: new Date() });
    await withinASecond(others, expired.key, 'expired_api_key');

    const late = generateApiKey().key;
    for (const each of others) expect((await each.ask(late)).code).toBe('invalid_api_key');
    await keys.import({ user: 'bob', key: late });
    await withinASecond(others, late, 'admitted');
  });

  it('a first use in one process -> the end of the old key is known in the other', async () => {
    const [one, two] = (await start(2)) as [GuardedProcess, GuardedProcess];
    const { key, record } = await keys.create({ user: 'alice' });
    await admitsEverywhere([one, two], key);
    const rotated = await keys.rotate(record.keyId, { overlapMs: 0, startsAt: 'first-use' });
    await admitsEverywhere([one, two], key);
    await admitsEverywhere([one], rotated.key);
    await withinASecond([one, two], key, 'expired_api_key');
  });

  it.skipIf(!hasPsql())('a row changed by hand in psql -> seen too', async () => {
    const others = await start(1);
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map(() => keys.create({ user: 'alice' })),
    );
    for (const { key } of [one!, two!, three!]) await admitsEverywhere(others, key);
    psql(`update api_keys set revoked_at = now() where key_id = '${one!.record.keyId}'`);
    await withinASecond(others, one!.key, 'revoked_api_key');
    psql(`delete from api_keys where key_id = '${two!.record.keyId}'`);
    await withinASecond(others, two!.key, 'invalid_api_key');
    psql('truncate api_keys');
    await withinASecond(others, three!.key, 'invalid_api_key');
  });

  it('a row changed by hand in SQL -> seen too', async () => {
    const others = await start(1);
    const { key, record } = await keys.create({ user: 'alice' });
    await admitsEverywhere(others, key);
    await admin.query('update api_keys set revoked_at = now() where key_id = $1', [record.keyId]);
    await withinASecond(others, key, 'revoked_api_key');
  });
});

describe('... cacheTtlMs if the listening connection is down', () => {
  it('the connection cut and kept away -> within cacheTtlMs; let back -> by itself under 1 s again', async () => {
    const cacheTtlMs = 1_500;
    // One place for the pool and one for the listener: with one less, the listener cannot come
    // back.
    await admin.query(`create role app login connection limit 2; grant select on api_keys to app`);
    const appUrl = new URL(url);
    appUrl.username = 'app';
    const other = await startGuardedProcess({
      url: appUrl.href,
      pool: { max: 1, idleTimeoutMillis: 0 },
      manager: { cacheTtlMs },
    });
    const [one, two] = [await keys.create({ user: 'alice' }), await keys.create({ user: 'bob' })];
    for (const { key } of [one, two]) expect((await other.ask(key)).code).toBe('admitted');

    await admin.query('alter role app connection limit 1');
    const listening = `usename = 'app' and (query like 'listen%' or query like '%pg_trigger%')`;
    const { rowCount } = await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where ${listening}`,
    );
    expect(rowCount).toBe(1);
    await delay(50);
    await keys.revoke(one.record.keyId);
    expect((await other.ask(one.key)).code).toBe('admitted');
    await vi.waitFor(async () => expect((await other.ask(one.key)).code).toBe('revoked_api_key'), {
      timeout: cacheTtlMs,
      interval: 20,
    });

    await admin.query('alter role app connection limit 2');
    await vi.waitFor(
      async () => {
        const back = await admin.query(`select 1 from pg_stat_activity where ${listening}`);
        expect(back.rowCount).toBe(1);
      },
      { timeout: 8_000, interval: 50 },
    );
    expect((await other.ask(two.key)).code).toBe('admitted');
    await keys.revoke(two.record.keyId);
    await withinASecond([other], two.key, 'revoked_api_key');
  });
});

describe('lastUsedAt', () => {
  it('200 requests at once on three keys from three processes -> no deadlock, near the truth, flushed on close', async () => {
    const processes = await start(3, { manager: { lastUsedIntervalMs: 50 } });
    const created = await Promise.all([1, 2, 3].map(() => keys.create({ user: 'alice' })));
    const startedAt = Date.now();
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, i) => processes[i % 3]!.ask(created[(i * 7) % 3]!.key)),
      );
      expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['admitted']));
    }
    const endedAt = Date.now();
    for (const { exitCode, output } of await Promise.all(processes.map((each) => each.close()))) {
      expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' });
    }
    for (const { record } of created) {
      const { lastUsedAt } = (await keys.get(record.keyId))!;
      expect(lastUsedAt!.getTime()).toBeGreaterThanOrEqual(startedAt);
      expect(lastUsedAt!.getTime()).toBeLessThanOrEqual(endedAt);
    }
  });

  it('keys in use that are revoked meanwhile -> none comes back to life', async () => {
    const processes = await start(2, { manager: { lastUsedIntervalMs: 5 } });
    const created = await Promise.all(
      Array.from({ length: 20 }, () => keys.create({ user: 'alice' })),
    );
    const over = new AbortController();
    const load = Promise.all(
      processes.map(async (each) => {
        while (!over.signal.aborted) await Promise.all(created.map(({ key }) => each.ask(key)));
      }),
    );
    for (const { record } of created) await keys.revoke(record.keyId);
    await delay(100);
    over.abort();
    await load;
    for (const { key, record } of created) {
      expect((await keys.get(record.keyId))?.revokedAt).toBeInstanceOf(Date);
      for (const each of processes) expect((await each.ask(key)).code).toBe('revoked_api_key');
    }
  });

  it('a role that may not write -> every request admitted, one warning', async () => {
    await admin.query(`create role reader login; grant select on api_keys to reader`);
    const readerUrl = new URL(url);
    readerUrl.username = 'reader';
    const [other] = await start(1, { url: readerUrl.href, manager: { lastUsedIntervalMs: 20 } });
    const { key } = await keys.create({ user: 'alice' });
    for (let i = 0; i < 5; i++) {
      expect((await other!.ask(key)).code).toBe('admitted');
      await delay(30);
    }
    const { exitCode, output } = await other!.close();
    expect(exitCode).toBe(0);
    expect(output.match(/lastUsedAt could not be written/g)).toHaveLength(1);
    for (const what of ['lastUsedAt', 'uses per day'])
      expect(output).toContain(
        `${what} could not be written (42501); requests are not affected, the role has no right: see npx require-api-key doctor.`,
      );
    expect(output).not.toContain(key);
  });
});

import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ApiKeyManager, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, folder } from '../support/cli.js';
import { startServer, startStandby } from '../support/postgres.js';
import { collectWarnings } from '../support/warnings.js';
import { recordingWatcher } from '../support/watcher.js';

const primary = await startServer();
const operator = new ApiKeyManager({ store: new PostgresKeyStore({ client: primary.pool() }) });
const standby = await startStandby(primary);
const store = new PostgresKeyStore({ client: standby.pool(), heartbeatMs: 100 });
const cacheTtlMs = 2_000;
/** An application that was pointed at the standby. */
const keys = new ApiKeyManager({ store, cacheTtlMs, lastUsedIntervalMs: 50 });
const warnings = collectWarnings();

beforeAll(async () => {
  await new PostgresKeyStore({ client: primary.pool() }).migrate();
  await arrived();
});

afterAll(async () => {
  await keys.close();
  await operator.close();
});

/** Waits until the standby has replayed what the primary has now. */
async function arrived(): Promise<void> {
  const { rows } = await primary
    .pool()
    .query<{ now: string }>('select pg_current_wal_lsn() as now');
  await vi.waitFor(async () => {
    const seen = await standby
      .pool()
      .query<{ is: boolean }>('select pg_last_wal_replay_lsn() >= $1::pg_lsn as is', [
        rows[0]!.now,
      ]);
    expect(seen.rows[0]!.is).toBe(true);
  }, 10_000);
}

const codeOf = async (key: string) => {
  const verdict = await keys.verify(key);
  return verdict.ok ? verdict.apiKey.user : verdict.code;
};

async function doctor(url: string): Promise<string[]> {
  const { stdout } = await cli(['doctor', '--json', '--variable', 'X'], {
    cwd: folder(),
    env: { DATABASE_URL: url, X: 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a' },
  });
  return (JSON.parse(stdout) as { findings: { code: string }[] }).findings.map(({ code }) => code);
}

it('keys made on the primary -> admitted on the standby, and warned once of what cannot be written', async () => {
  const mark = warnings.mark();
  for (const user of ['alice', 'bob', 'cem']) {
    const { key } = await operator.create({ user });
    await arrived();
    await expect.poll(() => codeOf(key), { timeout: 3_000 }).toBe(user);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  expect(await codeOf(generateApiKey().key)).toBe('invalid_api_key');
  const told = (await warnings.since(mark)).map((message) => message.split(' could')[0]);
  expect(told).toEqual(['lastUsedAt', 'uses per day']);
});

it('a key that is revoked on the primary -> refused within cacheTtlMs, since the standby announces nothing', async () => {
  const { key, record } = await operator.create({ user: 'alice' });
  await arrived();
  expect(await codeOf(key)).toBe('alice');
  const watcher = recordingWatcher();
  const watch = store.watch!(watcher);

  await operator.revoke(record.keyId);
  const revokedAt = performance.now();

  await expect
    .poll(() => codeOf(key), { timeout: cacheTtlMs + 1_000, interval: 50 })
    .toBe('revoked_api_key');
  expect(performance.now() - revokedAt).toBeLessThan(cacheTtlMs + 1_000);
  await watch.close();
  expect(watcher.told).toEqual([]);
});

it('a key made through the standby -> an error, and none is made', async () => {
  await expect(keys.create({ user: 'alice' })).rejects.toThrow();
});

it('doctor -> standby; on the primary nothing', async () => {
  expect(await doctor(standby.url)).toEqual(['standby']);
  expect(await doctor(primary.url)).toEqual([]);
});

it('promoted to primary -> listens by itself, and a revocation is seen under 1 s', async () => {
  const promoted = standby.pool();
  await promoted.query('select pg_promote()');
  const here = new ApiKeyManager({ store: new PostgresKeyStore({ client: promoted }) });
  const watcher = recordingWatcher();
  const watch = store.watch!(watcher);
  await watcher.until('connected');
  const { key, record } = await here.create({ user: 'alice' });
  await expect.poll(() => codeOf(key), { timeout: 8_000 }).toBe('alice');
  // The application's own listener tries again within three seconds.
  await new Promise((resolve) => setTimeout(resolve, 4_000));

  await here.revoke(record.keyId);

  await expect.poll(() => codeOf(key), { timeout: 1_000 }).toBe('revoked_api_key');
  await watch.close();
  await here.close();
  expect(await doctor(standby.url)).toEqual([]);
});

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiKeyManager, type CreatedKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { startServer } from '../support/postgres.js';
import {
  startGuardedProcess,
  type GuardedAnswer,
  type GuardedProcess,
} from '../support/start-guarded-process.js';

const server = await startServer();
const store = new PostgresKeyStore({ client: server.pool() });
await store.migrate();
const keys = new ApiKeyManager({ store });

// A test that failed half way must not take those after it along.
afterEach(() => server.ensureRunning());

const storeOptions = { queryTimeoutMs: 1_000, heartbeatMs: 200 };

async function open(manager: object = {}) {
  const guarded = await startGuardedProcess({ url: server.url, store: storeOptions, manager });
  const warm = await keys.create({ user: 'warm' });
  expect((await guarded.ask(warm.key)).code).toBe('admitted');
  const cold = await Promise.all(Array.from({ length: 40 }, () => keys.create({ user: 'cold' })));
  return { guarded, warm, cold };
}

/** Both kinds of keys at once, with the time that the slowest answer took. */
async function load(guarded: GuardedProcess, warm: CreatedKey, cold: readonly CreatedKey[]) {
  const startedAt = performance.now();
  const [warmAnswers, coldAnswers] = await Promise.all([
    Promise.all(Array.from({ length: 40 }, () => guarded.ask(warm.key))),
    Promise.all(cold.map(({ key }) => guarded.ask(key))),
  ]);
  return { warmAnswers, coldAnswers, ms: performance.now() - startedAt };
}

const codes = (answers: readonly GuardedAnswer[]) => [...new Set(answers.map(({ code }) => code))];

const recovers = (guarded: GuardedProcess, key: string) =>
  vi.waitFor(async () => expect((await guarded.ask(key)).code).toBe('admitted'), {
    timeout: 8_000,
    interval: 50,
  });

function expectAdmittedOrFailed({
  warmAnswers,
  coldAnswers,
}: Awaited<ReturnType<typeof load>>): void {
  expect(codes(warmAnswers)).toEqual(['admitted']);
  expect(codes(coldAnswers)).toEqual(['key_source_failed']);
  for (const { status, retryAfter } of coldAnswers)
    expect([status, retryAfter]).toEqual([503, '5']);
}

describe('store down: cold key 503 with Retry-After, warm key admitted; store back: recovers by itself', () => {
  it('the server killed under load and started again', async () => {
    const { guarded, warm, cold } = await open();
    await server.kill();
    for (let round = 0; round < 3; round++) expectAdmittedOrFailed(await load(guarded, warm, cold));
    await server.restart();
    await recovers(guarded, cold[0]!.key);
    expect(codes((await load(guarded, warm, cold)).coldAnswers)).toEqual(['admitted']);
    const { exitCode, output } = await guarded.close();
    expect(exitCode).toBe(0);
    for (const { key } of [warm, ...cold]) expect(output).not.toContain(key);
  });

  it('the server frozen under load and thawed -> no pile-up of waiting requests either', async () => {
    const { guarded, warm, cold } = await open();
    await server.freeze();
    expectAdmittedOrFailed(await load(guarded, warm, cold));
    await delay(1_000);
    // By now it is known to be down: at most one attempt waits for it, the others are answered at
    // once.
    const { ms, ...answers } = await load(guarded, warm, cold.slice(1));
    expectAdmittedOrFailed({ ms, ...answers });
    expect(ms).toBeLessThan(2 * storeOptions.queryTimeoutMs + 1_000);
    await server.thaw();
    await recovers(guarded, cold[0]!.key);
    expect(codes((await load(guarded, warm, cold)).coldAnswers)).toEqual(['admitted']);
  });

  it('warm key past staleIfErrorMs after it was last confirmed -> 503, and admitted when the server is back', async () => {
    const { guarded, warm } = await open({ staleIfErrorMs: 1_500, cacheTtlMs: 100 });
    // Confirmed now: while nothing was asked, no heartbeat did.
    expect((await guarded.ask(warm.key)).code).toBe('admitted');
    await server.kill();
    expect((await guarded.ask(warm.key)).code).toBe('admitted');
    await vi.waitFor(async () => expect((await guarded.ask(warm.key)).status).toBe(503), {
      timeout: 4_000,
      interval: 50,
    });
    expect((await guarded.ask(warm.key)).code).toBe('key_source_failed');
    await server.restart();
    await recovers(guarded, warm.key);
  });

  it('a key revoked while the server was away from this process -> refused once it is back', async () => {
    const { guarded, warm } = await open();
    await server.kill();
    expect((await guarded.ask(warm.key)).code).toBe('admitted');
    await server.restart();
    await vi.waitFor(() => keys.revoke(warm.record.keyId), { timeout: 5_000, interval: 100 });
    await vi.waitFor(
      async () => expect((await guarded.ask(warm.key)).code).toBe('revoked_api_key'),
      {
        timeout: 5_000,
        interval: 50,
      },
    );
  });

  it('no connection left for anyone -> the same as an outage', async () => {
    const { guarded, warm, cold } = await open();
    const elsewhere = new URL(server.url);
    elsewhere.pathname = '/template1';
    const admin = server.pool({ max: 1, connectionString: elsewhere.href });
    await admin.query(`alter database postgres allow_connections false`);
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = 'postgres'`,
    );
    await delay(50);
    expectAdmittedOrFailed(await load(guarded, warm, cold));
    await admin.query(`alter database postgres allow_connections true`);
    await recovers(guarded, cold[0]!.key);
  });
});

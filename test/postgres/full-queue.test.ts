import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { startServer } from '../support/postgres.js';
import { startGuardedProcess } from '../support/start-guarded-process.js';
import { storedKey } from '../support/stored-key.js';
import { collectWarnings } from '../support/warnings.js';
import { recordingWatcher } from '../support/watcher.js';

// The smallest queue that the server takes: the same as the usual one, which a blocker fills in
// days.
const server = await startServer({ max_notify_queue_pages: '64' });
const pool = server.pool();
const warnings = collectWarnings();

beforeEach(async () => {
  await pool.query('drop schema public cascade; create schema public');
  await new PostgresKeyStore({ client: pool }).migrate();
});

/** Somebody who listens and sits in a transaction, so that nothing leaves the queue. */
async function block(): Promise<pg.Client> {
  const blocker = await server.client({ application_name: 'nightly-report' });
  onTestFinished(() => blocker.end());
  await blocker.query('listen somewhere');
  await blocker.query('begin; select 1');
  return blocker;
}

/** Fills the queue until a commit fails. */
async function fill(): Promise<void> {
  const filler = await server.client();
  const text = `select pg_notify('elsewhere', repeat('x', 7000) || n) from generate_series(1, $1::int) n`;
  for (const size of [20, 1]) {
    for (;;) {
      const failed = await filler.query(text, [size]).then(
        () => undefined,
        (error: { code: string }) => error.code,
      );
      if (failed !== undefined) {
        expect(failed).toBe('54000');
        break;
      }
    }
  }
  await filler.end();
}

const usage = async () =>
  Number((await pool.query('select pg_notification_queue_usage() as usage')).rows[0].usage);

describe('the queue of notifications is full', () => {
  it('create, rotate and revoke -> done all the same, with one warning that says what it means', async () => {
    const mark = warnings.mark();
    const keys = new ApiKeyManager({ store: new PostgresKeyStore({ client: pool }) });
    onTestFinished(() => keys.close());
    const { record } = await keys.create({ user: 'alice' });
    await block();
    await fill();
    expect(await usage()).toBeGreaterThan(0.9);

    const made = await keys.create({ user: 'bob' });
    await keys.rotate(made.record.keyId, { overlapMs: 0 });
    await keys.revoke(record.keyId);

    expect((await keys.get(record.keyId))?.revokedAt).toBeInstanceOf(Date);
    const said = (await warnings.since(mark)).filter((text) => text.includes('announcement'));
    expect(said).toEqual([
      expect.stringMatching(/queue of notifications is full.*"cacheTtlMs".*doctor/),
    ]);
  });

  it('a revocation by hand -> done, and the server says so', async () => {
    const key = storedKey();
    await new PostgresKeyStore({ client: pool }).insert(key);
    await block();
    await fill();
    const byHand = await server.client();
    const notices: string[] = [];
    byHand.on('notice', ({ message }) => void notices.push(message ?? ''));

    await byHand.query('update api_keys set revoked_at = now()');

    expect(notices).toEqual([expect.stringContaining('this change was not announced')]);
    await byHand.end();
  });

  it('the blocker has left -> the next change is announced again, without anybody’s help', async () => {
    const store = new PostgresKeyStore({ client: pool, heartbeatMs: 50 });
    const blocker = await block();
    await fill();
    await blocker.end();

    const watcher = recordingWatcher();
    const listener = await server.client();
    listener.on('notification', ({ payload }) => watcher.changed(payload ?? ''));
    await listener.query('listen "require_api_key:public.api_keys"');
    const key = storedKey();
    await store.insert(key);

    await watcher.until(`changed ${key.keyId}`);
    await listener.end();
  });

  it('a revocation that was not announced, and room again before anybody looks -> another process refuses the key within a heartbeat', async () => {
    const keys = new ApiKeyManager({ store: new PostgresKeyStore({ client: pool }) });
    onTestFinished(() => keys.close());
    const { key, record } = await keys.create({ user: 'alice' });
    const running = await startGuardedProcess({
      url: server.url,
      store: { heartbeatMs: 2_000 },
      manager: { cacheTtlMs: 60_000 },
    });
    expect((await running.ask(key)).code).toBe('admitted');
    const blocker = await block();
    await fill();
    await keys.revoke(record.keyId);
    await blocker.end();
    expect(await usage()).toBeLessThan(0.5);

    await vi.waitFor(async () => expect((await running.ask(key)).code).toBe('revoked_api_key'), {
      timeout: 5_000,
      interval: 50,
    });
  });

  it('a role that may only write the last use -> ends the old key at the first use of the new one', async () => {
    const keys = new ApiKeyManager({ store: new PostgresKeyStore({ client: pool }) });
    onTestFinished(() => keys.close());
    const { record } = await keys.create({ user: 'alice' });
    const next = await keys.rotate(record.keyId, { overlapMs: 0, startsAt: 'first-use' });
    const role = `app_${randomBytes(4).toString('hex')}`;
    await pool.query(`create role ${role}; grant usage on schema public to ${role};
      grant select, update (last_used_at) on api_keys to ${role}`);
    onTestFinished(async () => void (await pool.query(`drop owned by ${role}; drop role ${role}`)));
    await block();
    await fill();
    const app = new PostgresKeyStore({ client: server.pool({ options: `-c role=${role}` }) });

    await app.touch([{ keyId: next.record.keyId, usedAt: new Date() }]);

    expect((await keys.get(record.keyId))?.expiresAt).toBeInstanceOf(Date);
  });
});

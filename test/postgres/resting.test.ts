import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey } from '../support/stored-key.js';
import { recordingWatcher } from '../support/watcher.js';

const database = await createDatabase();
const pool = database.pool();
const store = new PostgresKeyStore({ client: pool });
const byHand = await database.client();

beforeAll(() => store.migrate());

/** A watch whose watcher says for how long nothing was asked. */
function watching(heartbeatMs = 100) {
  const client = database.pool();
  const sent = vi.spyOn(client, 'connect');
  const asked = { idleMs: 0 };
  const watcher = Object.assign(recordingWatcher(), {
    idleMs: () => asked.idleMs,
    resting: () => void watcher.told.push('resting'),
  });
  const watch = new PostgresKeyStore({ client, heartbeatMs }).watch!(watcher);
  onTestFinished(() => watch.close());
  return { watcher, watch, asked, sent };
}

const listenerPids = async () => {
  const { rows } = await byHand.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
     and (query like 'listen%' or query like '%pg_trigger%')`,
  );
  return rows.map(({ pid }) => pid);
};

describe('a watch while nothing is asked', () => {
  it('idle for less than 0.8 of a heartbeat -> beats on; for longer -> rests, and sends nothing', async () => {
    const { watcher, asked, sent } = watching();
    asked.idleMs = 79;
    await watcher.until('alive', 3);
    expect(watcher.told).not.toContain('resting');
    asked.idleMs = 80;
    await watcher.until('resting');
    const count = sent.mock.calls.length;
    const told = watcher.told.length;
    await delay(500);
    expect(sent.mock.calls.length).toBe(count);
    expect(watcher.told).toHaveLength(told);
  });

  it('a change while it rests -> announced all the same', async () => {
    const { watcher, asked } = watching();
    asked.idleMs = 1_000;
    await watcher.until('resting');
    const key = storedKey();
    await store.insert(key);
    await watcher.until(`changed ${key.keyId}`);
  });

  it('check -> one heartbeat for all who call, and they go on', async () => {
    const { watcher, watch, asked } = watching();
    asked.idleMs = 1_000;
    await watcher.until('resting');
    expect(watcher.told).not.toContain('alive');
    asked.idleMs = 0;
    await Promise.all([watch.check!(), watch.check!(), watch.check!()]);
    expect(watcher.told.filter((each) => each === 'alive')).toHaveLength(1);
    await watcher.until('alive', 3);
  });

  it('check while a heartbeat is under way -> resolves with the next one', async () => {
    const { watcher, watch } = watching(600_000);
    await watcher.until('connected');
    const first = watch.check!();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.all([first, watch.check!()]);
    expect(watcher.told.filter((each) => each === 'alive')).toHaveLength(2);
  });

  it('the connection is lost while it rests -> not connected again before a check', async () => {
    const { watcher, watch, asked } = watching();
    asked.idleMs = 1_000;
    await watcher.until('resting');
    for (const pid of await listenerPids())
      await byHand.query('select pg_terminate_backend($1)', [pid]);
    await watcher.until('disconnected');
    await delay(500);
    expect(watcher.told.at(-1)).toBe('disconnected');
    asked.idleMs = 0;
    await watch.check!();
    expect(watcher.told.at(-1)).toBe('connected');
  });

  it('a check over a connection that is lost -> rejects', async () => {
    const { watcher, watch, asked } = watching(600_000);
    await watcher.until('connected');
    for (const pid of await listenerPids())
      await byHand.query('select pg_terminate_backend($1)', [pid]);
    await watcher.until('disconnected');
    asked.idleMs = 0;
    await expect(watch.check!()).rejects.toThrow('changes may be missed');
  });
});

describe('a manager that is asked for nothing', () => {
  it('for longer than cacheTtlMs -> no statements; then the first request checks before it admits', async () => {
    const client = database.pool();
    const sent = vi.spyOn(client, 'connect');
    const keys = new ApiKeyManager({
      store: new PostgresKeyStore({ client, heartbeatMs: 100 }),
      cacheTtlMs: 300,
      lastUsedIntervalMs: 1,
    });
    onTestFinished(() => keys.close());
    const { key, record } = await keys.create({ user: 'alice' });
    expect((await keys.verify(key)).ok).toBe(true);
    await delay(1_500);
    const count = sent.mock.calls.length;
    await delay(1_500);
    expect(sent.mock.calls.length).toBe(count);

    expect((await keys.verify(key)).ok).toBe(true);
    expect(sent.mock.calls.length).toBeGreaterThan(count);
    await delay(1_500);
    // A change that nothing announces: only the check of the triggers can find it.
    await byHand.query('begin; alter table api_keys disable trigger announce_update');
    await byHand.query('update api_keys set revoked_at = now() where key_id = $1', [record.keyId]);
    await byHand.query('alter table api_keys enable always trigger announce_update; commit');
    expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'revoked_api_key' });
  });

  it('in a script that forgets close() -> it ends soon after the idle time of the pool', async () => {
    const { key } = await new ApiKeyManager({ store }).create({ user: 'alice' });
    const urlOf = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const script = `
      import pg from 'pg';
      import { ApiKeyManager } from ${urlOf('../../src/index.ts')};
      import { PostgresKeyStore } from ${urlOf('../../src/postgres.ts')};
      const client = new pg.Pool({ connectionString: ${JSON.stringify(database.url)}, idleTimeoutMillis: 1500 });
      const keys = new ApiKeyManager({ store: new PostgresKeyStore({ client, heartbeatMs: 400 }) });
      const { ok } = await keys.verify(process.env.KEY);
      const verifiedAt = performance.now();
      process.on('exit', () => console.log(ok, performance.now() - verifiedAt));`;

    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { timeout: 40_000, env: { ...process.env, KEY: key } },
    );

    const [ok, tookMs] = stdout.trim().split(' ');
    expect(ok).toBe('true');
    // The idle time, and the write of the last use after a second; the rest is for a busy machine.
    expect(Number(tookMs)).toBeLessThan(15_000);
  }, 60_000);
});

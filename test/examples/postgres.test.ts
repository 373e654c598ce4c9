import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { ApiKeyManager } from 'require-api-key';
import { PostgresKeyStore } from 'require-api-key/postgres';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureFirstKeys } from '../../examples/audio-api/first-keys.js';
import { keysInPostgres } from '../../examples/audio-api/keys-in-postgres.js';
import { readSettings } from '../../examples/audio-api/settings.js';
import { tonePath } from '../fixtures/make-tone.js';
import { eventually, filesIn, temporaryFolder } from '../support/audio-api.js';
import { printedCurl, run, runServer, startServer } from '../support/audio-api-process.js';
import { createDatabase } from '../support/postgres.js';

const fresh = await createDatabase();
const contested = await createDatabase();
const unrelated = await createDatabase();
const { url: DATABASE_URL, ...database } = await createDatabase();
const store = new PostgresKeyStore({ client: database.pool() });
const keys = new ApiKeyManager({ store });
afterAll(async () => {
  await keys.close();
});

const printedKey = (stdout: string) => /X-API-Key: (key_\w+)/.exec(stdout)?.[1] ?? '';

/** The process that serves, rather than the one that was started. */
const pidInLog = (stderr: string) =>
  (JSON.parse(stderr.split('\n')[0] ?? '') as { pid: number }).pid;

async function runPrinted(stdout: string, cwd: string): Promise<unknown> {
  return JSON.parse((await run('bash', ['-c', printedCurl(stdout)], { cwd })).stdout) as unknown;
}

function hello(url: string, key: string): Promise<Response> {
  return fetch(`${url}/hello`, { headers: { 'X-API-Key': key } });
}

function upload(url: string, key: string): Promise<Response> {
  const body = new FormData();
  body.set('audio', new Blob([new Uint8Array(readFileSync(tonePath))]), 'tone.wav');
  return fetch(`${url}/upload-audio`, { method: 'POST', headers: { 'X-API-Key': key }, body });
}

describe('the first start on an empty database', () => {
  it('the printed curl line is pasted into a shell -> it greets, and no later start shows a key', async () => {
    const folder = temporaryFolder();
    const env = { DATABASE_URL: fresh.url };
    const first = await startServer(folder, env);
    expect(await runPrinted(first.output.stdout, folder)).toEqual({ message: 'Hello, demo!' });
    const key = printedKey(first.output.stdout);
    expect((await upload(first.url, key)).status).toBe(201);
    const { code, stdout, stderr } = await first.stop();
    expect(code).toBe(0);
    expect((stdout + stderr).split(key)).toHaveLength(2);

    const second = await startServer(folder, env);
    expect(second.output.stdout).toContain('npx require-api-key claim bob --scope audio:write');
    expect(second.output.stdout).not.toMatch(/key_/);
    expect(await runPrinted(second.output.stdout, folder)).toEqual({ message: 'Hello, demo!' });
    expect((await hello(second.url, key)).status).toBe(200);
    expect((await second.stop('SIGINT')).code).toBe(0);
  });

  it('several starts at the same moment -> one of them shows the demo key, and no other is left', async () => {
    const keyFolder = temporaryFolder();
    const places = await Promise.all([1, 2, 3, 4].map(() => keysInPostgres(contested.url)));
    onTestFinished(async () => void (await Promise.all(places.map((place) => place.close()))));
    const first = await Promise.all(
      places.map((place) => ensureFirstKeys({ ...place, keyFolder })),
    );
    expect(first.filter(({ demo }) => demo.key !== undefined)).toHaveLength(1);
    const { rows } = await contested
      .pool()
      .query('select user_name, scopes from api_keys where revoked_at is null order by 1');
    expect(rows).toEqual([
      { user_name: 'demo', scopes: ['audio:write'] },
      { user_name: 'operator', scopes: ['keys:manage'] },
    ]);
  });
});

describe('keys in the database of .env', () => {
  it('uploads -> need the scope, and the jobs tell whose key sent them', async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, '.env'),
      `INTERNAL_API_KEY=${'i'.repeat(40)}\nDATABASE_URL=${DATABASE_URL}\n`,
    );
    const { url, output, stop } = await startServer(folder);
    const alice = await keys.create({ user: 'alice', scopes: ['audio:write'] });
    const bob = await keys.create({ user: 'bob' });
    expect((await upload(url, alice.key)).status).toBe(201);
    expect((await upload(url, bob.key)).status).toBe(403);
    expect((await hello(url, bob.key)).status).toBe(200);
    expect((await hello(url, 'i'.repeat(40))).status).toBe(401);

    const jobs = await fetch(`${url}/_internal/jobs`, {
      headers: { 'X-Internal-Api-Key': 'i'.repeat(40) },
    });
    const uploadedBy = { user: 'alice', keyId: alice.record.keyId };
    expect(await jobs.json()).toMatchObject({ jobs: [{ filename: 'tone.wav', uploadedBy }] });
    expect((await stop()).code).toBe(0);
    for (const { key } of [alice, bob]) expect(output.stdout + output.stderr).not.toContain(key);
    expect((await keys.get(bob.record.keyId))?.lastUsedAt).toBeInstanceOf(Date);
  });

  it('a key is revoked elsewhere -> the running app refuses it within a second', async () => {
    const { url } = await startServer(temporaryFolder(), { DATABASE_URL });
    const { key, record } = await keys.create({ user: 'carol' });
    expect((await hello(url, key)).status).toBe(200);
    await keys.revoke(record.keyId);
    const revokedAt = Date.now();
    await eventually(async () => (await hello(url, key)).status === 401, 'the key was refused');
    expect(Date.now() - revokedAt).toBeLessThan(1_000);
  });
});

describe('a database that cannot be used', () => {
  it('nobody listens -> exit 1 with one sentence, and no key is made', async () => {
    const folder = temporaryFolder();
    const env = { DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/app', PORT: '0' };
    const { code, stdout, stderr } = await runServer(folder, env);
    const sentence =
      'The audio API cannot start: the database in DATABASE_URL cannot be reached (ECONNREFUSED).\n';
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: sentence });
    expect(filesIn(folder)).toEqual([]);
  });

  it.each([
    [
      'the password breaks the URL',
      'postgres://me:hunter2#@localhost/app',
      'reached (ERR_INVALID_URL).',
    ],
    [
      'there is no such database',
      DATABASE_URL.replace(/\w+$/, 'nowhere'),
      'used: database "nowhere" does not exist.',
    ],
    [
      'its table is of something else',
      unrelated.url,
      'used: public.api_keys exists and is not a table of keys',
    ],
  ])('%s -> the sentence says so', async (_, url, reason) => {
    await unrelated.pool().query('create table if not exists api_keys (color text)');
    const { message } = (await keysInPostgres(url).catch((error: unknown) => error)) as Error;
    expect(message).toContain(`the database in DATABASE_URL cannot be ${reason}`);
    expect(message).not.toContain('hunter2');
  });

  it('it is no PostgreSQL URL -> the sentence does not repeat it', () => {
    const read = () => readSettings({ DATABASE_URL: 'mysql://me:hunter2@localhost/app' });
    expect(read).toThrow(
      /^DATABASE_URL must read postgres:\/\/user:password@host:port\/database or file:keys\.db\.$/,
    );
  });
});

describe('start:postgres', () => {
  it('started, started beside itself, killed and started again -> one server and the same keys', async () => {
    const folder = temporaryFolder('audio api ');
    // As root the server runs as somebody else, who has to get there.
    chmodSync(folder, 0o755);
    const kept = (name: string) => join(folder, '.postgres', name);
    const first = await startServer(folder, {}, 'start-postgres');
    expect(await runPrinted(first.output.stdout, folder)).toEqual({ message: 'Hello, demo!' });
    const key = printedKey(first.output.stdout);

    const address = readFileSync(kept('url'), 'utf8').trim();
    for (const name of ['url', 'password', 'log'])
      expect(statSync(kept(name)).mode & 0o777).toBe(0o600);
    expect(first.output.stdout + first.output.stderr).not.toContain(new URL(address).password);
    const stranger = new pg.Client({ connectionString: address.replace(/:[^:@]+@/, ':wrong@') });
    await expect(stranger.connect()).rejects.toThrow('password authentication failed');

    const beside = await runServer(folder, { PORT: '0' }, 'start-postgres');
    expect(beside.code).toBe(1);
    expect(beside.stderr).toMatch(
      /^PostgreSQL cannot be started: its server .* for another start\.\n$/,
    );
    expect((await hello(first.url, key)).status).toBe(200);

    process.kill(pidInLog(first.output.stderr), 'SIGKILL');
    await first.finished;
    const second = await startServer(folder, {}, 'start-postgres');
    expect(second.output.stdout).not.toMatch(/key_/);
    expect((await hello(second.url, key)).status).toBe(200);
    expect(readFileSync(kept('url'), 'utf8').trim()).toBe(address);
    expect((await second.stop()).code).toBe(0);
    expect(filesIn(join(folder, '.postgres'))).toEqual(['data', 'log', 'password', 'url']);
    expect(filesIn(kept('data'))).not.toContain('postmaster.pid');
  }, 40_000);
});

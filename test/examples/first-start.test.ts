import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiKeyManager, parseApiKey } from 'require-api-key';
import { SqliteKeyStore } from 'require-api-key/sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tonePath } from '../fixtures/make-tone.js';
import { filesIn, keysOf, modeOf, temporaryFolder } from '../support/audio-api.js';
import { printedCurl, run, runServer, startServer } from '../support/audio-api-process.js';

/** What a printed command answers that is pasted into a shell in the folder of the app. */
async function paste(line: string, cwd: string, env: Record<string, string> = {}) {
  const { stdout } = await run('bash', ['-c', line.replace('curl ', 'curl --silent ')], {
    cwd,
    env,
  });
  return JSON.parse(stdout) as unknown;
}

const greeting = { message: 'Hello, demo!' };
const jobsLine = (stdout: string) => /^ +(curl .*_internal\/jobs)$/m.exec(stdout)?.[1] ?? '';
const linkIn = (stdout: string) => /http\S+\/claim#([\w-]{43})/.exec(stdout)?.[1];

async function openKeys(path: string): Promise<ApiKeyManager> {
  const store = await SqliteKeyStore.open(path);
  const keys = new ApiKeyManager({ store });
  onTestFinished(async () => {
    await keys.close();
    await store.close();
  });
  return keys;
}

const hello = (url: string, key: string) =>
  fetch(`${url}/hello`, { headers: { 'X-API-Key': key } });

function jobs(url: string, key: string): Promise<Response> {
  return fetch(`${url}/_internal/jobs`, { headers: { 'X-Internal-Api-Key': key } });
}

function upload(url: string, key: string): Promise<Response> {
  const body = new FormData();
  body.set('audio', new Blob([new Uint8Array(readFileSync(tonePath))]), 'tone.wav');
  return fetch(`${url}/upload-audio`, { method: 'POST', headers: { 'X-API-Key': key }, body });
}

describe('the first start, in an empty folder', () => {
  it('the printed curl lines are pasted into a shell -> a greeting, and the uploads by whose key', async () => {
    const folder = temporaryFolder();
    const { url, output } = await startServer(folder);
    expect(await paste(printedCurl(output.stdout), folder)).toEqual(greeting);
    const { demo } = keysOf(folder);
    expect((await upload(url, demo)).status).toBe(201);
    const uploadedBy = { user: 'demo', keyId: parseApiKey(demo)?.keyId };
    expect(await paste(jobsLine(output.stdout), folder)).toMatchObject({ jobs: [{ uploadedBy }] });
  });

  it('through tsx, as npm start does -> the printed curl line is answered', async () => {
    const folder = temporaryFolder();
    const { output } = await startServer(folder, {}, 'server.ts');
    expect(await paste(printedCurl(output.stdout), folder)).toEqual(greeting);
  });

  it('files -> all that hold keys are for the eyes of their owner only', async () => {
    const folder = temporaryFolder();
    await startServer(folder);
    const keyFolder = join(folder, '.audio-api');
    expect(filesIn(folder)).toEqual(['.audio-api', '.env', 'uploads']);
    expect(modeOf(keyFolder)).toBe(0o700);
    expect(filesIn(keyFolder)).toEqual(expect.arrayContaining(['demo.key', 'keys.db']));
    for (const name of filesIn(keyFolder)) expect(modeOf(join(keyFolder, name))).toBe(0o600);
    expect(modeOf(join(folder, '.env'))).toBe(0o600);
    const { demo, operator, internal } = keysOf(folder);
    for (const key of [demo, operator, internal]) expect(parseApiKey(key)).toBeDefined();
  });

  it('its files in a clone -> ignored by git', async () => {
    const names = [
      '.audio-api/keys.db',
      '.audio-api/operator.key',
      '.env',
      'keys.db',
      'keys.db-wal',
    ];
    const { stdout } = await run('git', ['check-ignore', '--no-index', ...names]);
    expect(stdout.trim().split('\n')).toEqual(names);
  });

  it("the key desk -> opens with the operator's key, and not with the demo key", async () => {
    const folder = temporaryFolder();
    const { url, output } = await startServer(folder);
    expect(output.stdout).toContain(`${url}/keys\n`);
    expect(output.stdout).toContain('.audio-api/operator.key');
    const { operator, demo } = keysOf(folder);
    const desk = (key: string) =>
      fetch(`${url}/keys/api/session`, { headers: { 'X-API-Key': key } });
    expect((await desk(operator)).status).toBe(200);
    expect((await desk(demo)).status).toBe(403);
  });

  it('the claim link -> makes one key for alice, who may upload', async () => {
    const { url, output } = await startServer(temporaryFolder());
    const claim = () =>
      fetch(`${url}/claim`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ token: linkIn(output.stdout) }),
      });
    const answer = await claim();
    expect(answer.status).toBe(201);
    const { key } = (await answer.json()) as { key: string };
    expect((await upload(url, key)).status).toBe(201);
    expect((await claim()).status).toBe(404);
  });

  it('requests good and bad -> the output never holds a key, save the demo key in the curl line', async () => {
    const folder = temporaryFolder();
    const { url, output, stop } = await startServer(folder);
    const { demo, operator, internal } = keysOf(folder);
    await fetch(`${url}/hello?key=${demo}`, { headers: { 'X-API-Key': demo } });
    await fetch(`${url}/hello/${demo}`, { headers: { Authorization: `Bearer ${demo}` } });
    await jobs(url, internal);
    await jobs(url, demo);
    await stop();
    const printed = output.stdout + output.stderr;
    expect(printed.split(demo)).toHaveLength(2);
    expect(printedCurl(output.stdout)).toContain(demo);
    expect([operator, internal].some((key) => printed.includes(key))).toBe(false);
    const log = output.stderr.trim().split('\n');
    expect(log.map((line) => (JSON.parse(line) as { user?: string }).user)).toEqual([
      'demo',
      undefined,
      'default',
      undefined,
    ]);
  });

  it('two starts at the same moment -> both run, what each prints works, and one demo key is left', async () => {
    const folder = temporaryFolder();
    for (const { output } of await Promise.all([startServer(folder), startServer(folder)]))
      expect(await paste(printedCurl(output.stdout), folder)).toEqual(greeting);
    const keys = await openKeys(join(folder, '.audio-api', 'keys.db'));
    expect(await keys.list({ user: 'demo', status: 'active' })).toHaveLength(1);
    expect(await keys.list({ user: 'operator', status: 'active' })).toHaveLength(1);
  });

  it('the internal key -> opens the jobs alone, and the demo key does not open them', async () => {
    const folder = temporaryFolder();
    const { url } = await startServer(folder);
    const { demo, internal } = keysOf(folder);
    expect((await jobs(url, internal)).status).toBe(200);
    expect((await jobs(url, demo)).status).toBe(401);
    expect((await hello(url, internal)).status).toBe(401);
  });
});

describe('a later start', () => {
  it('everything is there -> the same keys, no secret shown, and the line still works', async () => {
    const folder = temporaryFolder();
    const first = await startServer(folder);
    await first.stop();
    const [env, before] = [readFileSync(join(folder, '.env'), 'utf8'), keysOf(folder)];
    const { output, url } = await startServer(folder);
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(env);
    expect(keysOf(folder)).toEqual(before);
    const printed = output.stdout + output.stderr;
    for (const secret of [...Object.values(before), linkIn(first.output.stdout) ?? ''])
      expect(printed.includes(secret)).toBe(false);
    expect(printed).not.toMatch(/key_\w{48}|#[\w-]{43}/);
    expect(await paste(printedCurl(output.stdout), folder)).toEqual(greeting);
    expect((await hello(url, before.demo)).status).toBe(200);
  });

  it('the printed command for another claim link -> makes one that the app knows', async () => {
    const folder = temporaryFolder();
    await (await startServer(folder)).stop();
    const { output, url } = await startServer(folder);
    const args = /npx require-api-key (claim .*)/.exec(output.stdout)?.[1];
    const cli = join(import.meta.dirname, '../../dist/esm/cli.js');
    const { stdout } = await run('bash', ['-c', `'${process.execPath}' '${cli}' ${args}`], {
      cwd: folder,
    });
    expect(stdout.trim()).toMatch(new RegExp(`^${url}/claim#[\\w-]{43}$`));
    const body = JSON.stringify({ token: stdout.trim().split('#')[1] });
    const headers = { 'Content-Type': 'application/json' };
    expect((await fetch(`${url}/claim`, { method: 'POST', headers, body })).status).toBe(201);
  });

  it('the demo key was revoked -> it stays revoked, and the start says what to do', async () => {
    const folder = temporaryFolder();
    await (await startServer(folder)).stop();
    const { demo } = keysOf(folder);
    const keys = await openKeys(join(folder, '.audio-api', 'keys.db'));
    await keys.revoke(parseApiKey(demo)!.keyId);
    const second = await startServer(folder);
    expect((await hello(second.url, demo)).status).toBe(401);
    expect(second.output.stdout).toContain('delete .audio-api/demo.key to get another');
    await second.stop();
    rmSync(join(folder, '.audio-api', 'demo.key'));
    const third = await startServer(folder);
    expect(await paste(printedCurl(third.output.stdout), folder)).toEqual(greeting);
  });

  it('.env sets other things only -> the internal key is added and nothing is lost', async () => {
    const folder = temporaryFolder();
    const envFile = join(folder, '.env');
    writeFileSync(envFile, 'MAX_UPLOAD_BYTES=1000\nINTERNAL_API_KEY=\nGREETING=hi');
    chmodSync(envFile, 0o644);
    const { url } = await startServer(folder);
    const before = 'MAX_UPLOAD_BYTES=1000\nINTERNAL_API_KEY=\nGREETING=hi\n';
    expect(readFileSync(envFile, 'utf8').startsWith(`${before}INTERNAL_API_KEY=internal_`)).toBe(
      true,
    );
    expect(modeOf(envFile)).toBe(0o600);
    expect((await upload(url, keysOf(folder).demo)).status).toBe(413);
  });

  it('blank variables are exported -> the file decides', async () => {
    const folder = temporaryFolder();
    await (await startServer(folder)).stop();
    const before = keysOf(folder);
    const { url } = await startServer(folder, { INTERNAL_API_KEY: ' ', DATABASE_URL: '' });
    expect(keysOf(folder)).toEqual(before);
    expect((await jobs(url, before.internal)).status).toBe(200);
  });
});

describe('keys of the environment', () => {
  it('API_KEYS is set -> its keys work beside those in the file, and are not printed', async () => {
    const folder = temporaryFolder();
    const carol = 'k'.repeat(40);
    writeFileSync(join(folder, '.env'), `API_KEYS=carol:${carol}\n`);
    const { url, output } = await startServer(folder);
    expect(await (await hello(url, carol)).json()).toEqual({ message: 'Hello, carol!' });
    expect((await upload(url, carol)).status).toBe(201);
    expect((await hello(url, keysOf(folder).demo)).status).toBe(200);
    expect((output.stdout + output.stderr).includes(carol)).toBe(false);
  });

  it('INTERNAL_API_KEY is exported -> no .env is written, and the printed line uses the variable', async () => {
    const folder = temporaryFolder();
    const INTERNAL_API_KEY = 'i'.repeat(40);
    const { output } = await startServer(folder, { INTERNAL_API_KEY });
    expect(existsSync(join(folder, '.env'))).toBe(false);
    expect(await paste(jobsLine(output.stdout), folder, { INTERNAL_API_KEY })).toEqual({
      jobs: [],
    });
  });
});

describe('DATABASE_URL=file:...', () => {
  it('a path of its own -> that file holds the keys, and the default one is not made', async () => {
    const folder = temporaryFolder();
    const { output, url } = await startServer(folder, { DATABASE_URL: 'file:other.db' });
    expect(modeOf(join(folder, 'other.db'))).toBe(0o600);
    expect(existsSync(join(folder, '.audio-api', 'keys.db'))).toBe(false);
    expect(await paste(printedCurl(output.stdout), folder)).toEqual(greeting);
    const { demo } = keysOf(folder, '.audio-api/other.db');
    const keys = await openKeys(join(folder, 'other.db'));
    expect((await keys.get(parseApiKey(demo)!.keyId))?.user).toBe('demo');
    expect((await hello(url, demo)).status).toBe(200);
  });

  it.each([
    ['is no database', 'file:broken.db', /broken\.db: .*not a (SQLite )?database/],
    ['lies in no folder', 'file:nowhere/keys.db', /nowhere\/keys\.db: /],
  ])('a file that %s -> exit 1 with one sentence, and nothing is made', async (_, url, reason) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'broken.db'), 'not a database, as long as one may be '.repeat(200));
    const { code, stdout, stderr } = await runServer(folder, { DATABASE_URL: url, PORT: '0' });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^The audio API cannot start: the keys cannot be kept in .*\.\n$/);
    expect(stderr).toMatch(reason);
    expect(filesIn(folder)).toEqual(['broken.db']);
  });
});

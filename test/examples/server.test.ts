import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseApiKey } from 'require-api-key';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTone, tonePath } from '../fixtures/make-tone.js';
import { eventually, filesIn, temporaryFolder } from '../support/audio-api.js';
import { printedCurl, run, runServer, startServer } from '../support/audio-api-process.js';

const KEYS = /^API_KEYS=demo:(\w+)\nINTERNAL_API_KEY=(\w+)\n$/;

function keysOf(folder: string): { demo: string; internal: string } {
  const [, demo, internal] =
    KEYS.exec(readFileSync(join(folder, '.env'), 'utf8').slice(-200)) ?? [];
  if (demo === undefined || internal === undefined) throw new Error('there are no keys in .env');
  return { demo, internal };
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe('the first start, with nothing configured', () => {
  it('the printed curl line is pasted into a shell -> it greets', async () => {
    const folder = temporaryFolder();
    const { output } = await startServer(folder);
    const { code, stdout } = await run('bash', ['-c', printedCurl(output.stdout)], { cwd: folder });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ message: 'Hello, demo!' });
  });

  it('.env -> two different keys, for the eyes of the owner only', async () => {
    const folder = temporaryFolder();
    await startServer(folder);
    const { demo, internal } = keysOf(folder);
    expect(parseApiKey(demo)).toBeDefined();
    expect(parseApiKey(internal)).toBeDefined();
    expect(demo).not.toBe(internal);
    expect(modeOf(join(folder, '.env'))).toBe(0o600);
  });

  it('requests good and bad -> the output never holds a key, save one in the curl line', async () => {
    const folder = temporaryFolder();
    const { url, output, stop } = await startServer(folder);
    const { demo, internal } = keysOf(folder);
    await fetch(`${url}/hello?key=${demo}`, { headers: { 'X-API-Key': demo } });
    await fetch(`${url}/hello/${demo}`, { headers: { Authorization: `Bearer ${demo}` } });
    await fetch(`${url}/_internal/jobs`, { headers: { 'X-Internal-Api-Key': internal } });
    await fetch(`${url}/_internal/jobs`, { headers: { 'X-Internal-Api-Key': demo } });
    await stop();
    const printed = output.stdout + output.stderr;
    expect(printed.split(demo)).toHaveLength(2);
    expect(printedCurl(output.stdout)).toContain(demo);
    expect(printed).not.toContain(internal);
    const log = output.stderr.trim().split('\n');
    expect(log.map((line) => (JSON.parse(line) as { user?: string }).user)).toEqual([
      'demo',
      undefined,
      'default',
      undefined,
    ]);
  });

  it('the keys of .env -> the internal one opens the jobs and the public one does not', async () => {
    const folder = temporaryFolder();
    const { url } = await startServer(folder);
    const { demo, internal } = keysOf(folder);
    const jobs = (key: string) =>
      fetch(`${url}/_internal/jobs`, { headers: { 'X-Internal-Api-Key': key } });
    expect((await jobs(internal)).status).toBe(200);
    expect((await jobs(demo)).status).toBe(401);
  });

  it('two starts at the same moment -> both run, and what each prints works', async () => {
    const folder = temporaryFolder();
    for (const { output } of await Promise.all([startServer(folder), startServer(folder)])) {
      const { stdout } = await run('bash', ['-c', printedCurl(output.stdout)], { cwd: folder });
      expect(JSON.parse(stdout)).toEqual({ message: 'Hello, demo!' });
    }
  });
});

describe('a later start', () => {
  it('.env has the keys -> the same keys, told without showing them', async () => {
    const folder = temporaryFolder();
    await (await startServer(folder)).stop();
    const before = readFileSync(join(folder, '.env'), 'utf8');
    const { output } = await startServer(folder);
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(before);
    expect(output.stdout + output.stderr).not.toContain(keysOf(folder).demo);

    const { code, stdout } = await run('bash', ['-c', printedCurl(output.stdout)], { cwd: folder });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ message: 'Hello, demo!' });
  });

  it('another user was added to .env -> the told line still works', async () => {
    const folder = temporaryFolder();
    const key = 'k'.repeat(40);
    writeFileSync(join(folder, '.env'), `API_KEYS=demo:${key},bob:${'b'.repeat(40)}\n`);
    const { output } = await startServer(folder);
    const { stdout } = await run('bash', ['-c', printedCurl(output.stdout)], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual({ message: 'Hello, demo!' });
  });

  it('.env sets other things only -> the keys are added and nothing is lost', async () => {
    const folder = temporaryFolder();
    const envFile = join(folder, '.env');
    writeFileSync(envFile, 'MAX_UPLOAD_BYTES=1000\nAPI_KEYS=\nGREETING=hi');
    chmodSync(envFile, 0o644);
    const { url } = await startServer(folder);
    const text = readFileSync(envFile, 'utf8');
    expect(text.startsWith('MAX_UPLOAD_BYTES=1000\nAPI_KEYS=\nGREETING=hi\nAPI_KEYS=demo:')).toBe(
      true,
    );
    expect(modeOf(envFile)).toBe(0o600);

    const key = /^API_KEYS=demo:(\w+)$/m.exec(text)?.[1] ?? '';
    const form = new FormData();
    form.set('audio', new Blob([new Uint8Array(makeTone())]), 'tone.wav');
    const headers = { 'X-API-Key': key };
    expect(
      (await fetch(`${url}/upload-audio`, { method: 'POST', headers, body: form })).status,
    ).toBe(413);
  });

  it('blank variables are exported -> the file decides', async () => {
    const folder = temporaryFolder();
    await (await startServer(folder)).stop();
    const before = readFileSync(join(folder, '.env'), 'utf8');
    const { url } = await startServer(folder, { API_KEYS: '', INTERNAL_API_KEY: ' ' });
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(before);
    const headers = { 'X-API-Key': keysOf(folder).demo };
    expect((await fetch(`${url}/hello`, { headers })).status).toBe(200);
  });

  it('the environment has a key -> no .env is written and no key printed', async () => {
    const folder = temporaryFolder();
    const key = 'k'.repeat(40);
    const { output } = await startServer(folder, { API_KEYS: `alice:${key}` });
    expect(existsSync(join(folder, '.env'))).toBe(false);
    expect(output.stdout + output.stderr).not.toContain(key);
    const { stdout } = await run('bash', ['-c', printedCurl(output.stdout)], {
      env: { API_KEY: key },
    });
    expect(JSON.parse(stdout)).toEqual({ message: 'Hello, alice!' });
  });
});

describe('what cannot start says why in one sentence', () => {
  it('a port that is taken -> exit 1', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const PORT = String((other.address() as AddressInfo).port);
    const { code, stdout, stderr } = await runServer(temporaryFolder(), {
      PORT,
      API_KEYS: `a:${'k'.repeat(40)}`,
    });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      `The audio API cannot start: port ${PORT} is taken; choose another with PORT.\n`,
    );
  });

  it.each([
    ['PORT', '80a'],
    ['PORT', '65536'],
    ['MAX_UPLOAD_BYTES', '50MB'],
    ['TRUSTED_PROXIES', '-1'],
  ])('%s=%s -> exit 1 and no keys made', async (name, value) => {
    const folder = temporaryFolder();
    const { code, stderr } = await runServer(folder, { [name]: value });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^The audio API cannot start: ${name} must be a whole number .*\\.\\n$`),
    );
    expect(filesIn(folder)).toEqual([]);
  });

  it('.env cannot be written -> exit 1', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.env'));
    const { code, stderr } = await runServer(folder, { PORT: '0' });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^The audio API cannot start: the first keys could not be kept in \.env;.*\.\n$/,
    );
  });
});

describe('a running server', () => {
  it('50 MB without a key -> 401 at once, nothing on the disk, and the server goes on', async () => {
    const folder = temporaryFolder();
    const { url } = await startServer(folder);
    const audioFile = join(temporaryFolder(), 'big.wav');
    writeFileSync(audioFile, Buffer.alloc(50 * 1024 * 1024));
    const form = [
      '--silent',
      '--output',
      '-',
      '--write-out',
      '\n%{http_code} %{time_starttransfer}',
    ];
    const { stdout } = await run('curl', [
      ...form,
      '--form',
      `audio=@${audioFile}`,
      `${url}/upload-audio`,
    ]);
    const [status, seconds] = (stdout.split('\n').at(-1) ?? '').split(' ');
    expect(status).toBe('401');
    expect(Number(seconds)).toBeLessThan(2);
    expect(stdout).toContain('missing_api_key');
    expect(filesIn(join(folder, 'uploads'))).toEqual([]);
    expect((await fetch(`${url}/hello`)).status).toBe(401);
  });

  it('UPLOADS_DIR -> uploads go there', async () => {
    const folder = temporaryFolder();
    const { url } = await startServer(folder, { UPLOADS_DIR: 'kept/here' });
    const { code } = await run('curl', [
      '--silent',
      '--fail',
      '--form',
      `audio=@${tonePath}`,
      '--header',
      `X-API-Key: ${keysOf(folder).demo}`,
      `${url}/upload-audio`,
    ]);
    expect(code).toBe(0);
    expect(filesIn(join(folder, 'kept', 'here'))).toHaveLength(2);
  });

  it('a client that hangs up in the middle of an upload -> no file, no noise, and the server goes on', async () => {
    const folder = temporaryFolder();
    const { url, output, stop } = await startServer(folder);
    const { demo } = keysOf(folder);
    const client = connect(Number(new URL(url).port), 'localhost');
    client.write(`${uploadHead(demo, 9_000_000)}${partHead}${'x'.repeat(300_000)}`);
    const uploads = join(folder, 'uploads');
    await eventually(() => filesIn(uploads).length === 1, 'the upload is under way');
    client.destroy();
    await eventually(() => filesIn(uploads).length === 0, 'the file is gone');
    expect((await fetch(`${url}/hello`, { headers: { 'X-API-Key': demo } })).status).toBe(200);
    expect((await stop()).code).toBe(0);
    for (const line of output.stderr.trim().split('\n'))
      expect(JSON.parse(line)).toHaveProperty('req');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s -> ends with 0', async (signal) => {
    const { stop, output } = await startServer(temporaryFolder());
    expect((await stop(signal)).code).toBe(0);
    expect(output.stderr).toBe('');
  });

  it('SIGTERM while an upload is under way -> the upload is finished first', async () => {
    const folder = temporaryFolder();
    const { url, stop } = await startServer(folder);
    const audio = makeTone();
    const end = '\r\n--b--\r\n';
    const client = connect(Number(new URL(url).port), 'localhost');
    client.write(
      uploadHead(keysOf(folder).demo, partHead.length + audio.length + end.length) + partHead,
    );
    client.write(audio.subarray(0, 20_000));
    await eventually(
      () => filesIn(join(folder, 'uploads')).length === 1,
      'the upload is under way',
    );
    const stopped = stop();
    client.write(audio.subarray(20_000));
    client.write(end);
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 201 /);
    expect((await stopped).code).toBe(0);
    expect(filesIn(join(folder, 'uploads'))).toHaveLength(2);
  });
});

const partHead = '--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n';

function uploadHead(key: string, contentLength: number): string {
  const lines = [
    'POST /upload-audio HTTP/1.1',
    'Host: localhost',
    'Connection: close',
    `X-API-Key: ${key}`,
  ];
  lines.push('Content-Type: multipart/form-data; boundary=b', `Content-Length: ${contentLength}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTone, tonePath } from '../fixtures/make-tone.js';
import { eventually, filesIn, keysOf, temporaryFolder } from '../support/audio-api.js';
import { run, runServer, startServer } from '../support/audio-api-process.js';

describe('what cannot start says why in one sentence', () => {
  it('a port that is taken -> exit 1, and no key is made or shown', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const PORT = String((other.address() as AddressInfo).port);
    const folder = temporaryFolder();
    const { code, stdout, stderr } = await runServer(folder, { PORT });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      `The audio API cannot start: port ${PORT} is taken; choose another with PORT.\n`,
    );
    const made = filesIn(join(folder, '.audio-api')).filter((name) => name.endsWith('.key'));
    expect(made).toEqual([]);
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
      /^The audio API cannot start: INTERNAL_API_KEY could not be kept in \.env;.*\.\n$/,
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

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'the example server receives %s -> it ends with exit code 0 and no errors',
    async (signal) => {
      const { stop, output } = await startServer(temporaryFolder());
      expect((await stop(signal)).code).toBe(0);
      expect(output.stderr).toBe('');
    },
  );

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

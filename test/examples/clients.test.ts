import { copyFileSync, readFileSync, readdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generateApiKey, keyList } from 'require-api-key';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createApp } from '../../examples/audio-api/app.js';
import { tonePath } from '../fixtures/make-tone.js';
import { filesIn, temporaryFolder } from '../support/audio-api.js';
import { run } from '../support/audio-api-process.js';

const alice = generateApiKey().key;

async function listen(app: RequestListener): Promise<string> {
  const server = createServer(app).listen(0);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

async function startApi() {
  const uploadsDir = temporaryFolder();
  return {
    uploadsDir,
    BASE_URL: await listen(
      createApp({ uploadsDir, source: keyList({ alice }, { scopes: ['audio:write'] }) }),
    ),
  };
}

describe.each([
  ['client.sh', 'sh'],
  ['client.py', 'python3'],
  ['client.js', 'node'],
])('%s', (file, command) => {
  const call = (env: Record<string, string>, ...args: string[]) =>
    run(command, [`examples/clients/${file}`, ...args], { env });

  it('a good key and an audio file -> prints the greeting and the facts', async () => {
    const { BASE_URL, uploadsDir } = await startApi();
    const { code, stdout, stderr } = await call({ BASE_URL, API_KEY: alice }, tonePath);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const [greeting, facts] = stdout.trim().split('\n');
    expect(JSON.parse(greeting ?? '')).toEqual({ message: 'Hello, alice!' });
    expect(JSON.parse(facts ?? '')).toMatchObject({
      filename: 'tone.wav',
      bytes: 48_044,
      durationSeconds: 1.5,
    });
    expect(filesIn(uploadsDir)).toHaveLength(2);
  });

  it('no file -> only the greeting', async () => {
    const { BASE_URL } = await startApi();
    const { code, stdout } = await call({ BASE_URL, API_KEY: alice });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ message: 'Hello, alice!' });
  });

  it('a name with blanks, quotes and letters beyond ASCII -> arrives as it is', async () => {
    const { BASE_URL } = await startApi();
    const audioFile = join(temporaryFolder(), 'mein "Tön", v1; 100%.wav');
    copyFileSync(tonePath, audioFile);
    const { stdout, stderr } = await call({ BASE_URL, API_KEY: alice }, audioFile);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout.trim().split('\n')[1] ?? '')).toMatchObject({
      filename: 'mein "Tön", v1; 100%.wav',
    });
  });

  it('a bad key -> ends with an error and the reason, and does not show the key', async () => {
    const { BASE_URL } = await startApi();
    const API_KEY = generateApiKey().key;
    const { code, stdout, stderr } = await call({ BASE_URL, API_KEY }, tonePath);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^Refused with 401: .*The API key is not known here\./);
    expect(stdout + stderr).not.toContain(API_KEY);
  });

  it('a file that is not audio -> ends with an error and the reason', async () => {
    const { BASE_URL } = await startApi();
    const { code, stderr } = await call({ BASE_URL, API_KEY: alice }, 'package.json');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^Refused with 415: .*could not be read as audio/);
  });

  it('a file that is not there -> ends with an error that names it', async () => {
    const { BASE_URL } = await startApi();
    const { code, stderr } = await call({ BASE_URL, API_KEY: alice }, 'no-such.wav');
    expect(code).not.toBe(0);
    expect(stderr).toContain('no-such.wav');
    expect(stderr).not.toContain('Traceback');
  });

  it('no key -> ends with an error that says what to set', async () => {
    const { BASE_URL } = await startApi();
    const { code, stderr } = await call({ BASE_URL });
    expect(code).not.toBe(0);
    expect(stderr).toBe('Set API_KEY to your API key.\n');
  });

  it('nobody listens -> ends with an error, without a stack', async () => {
    const { code, stderr } = await call({ BASE_URL: 'http://localhost:1', API_KEY: alice });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/call|connect/i);
    expect(stderr.split('\n').length).toBeLessThan(5);
  });

  it('a key that no header can carry -> is not shown', async () => {
    const { BASE_URL } = await startApi();
    const { code, stdout, stderr } = await call({ BASE_URL, API_KEY: 'first-half\nsecond-half' });
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toContain('half');
  });

  it('a redirect to another host -> the key does not go there', async () => {
    const seen: IncomingMessage[] = [];
    const elsewhere = await listen((req, res) => {
      seen.push(req);
      res.end('{}');
    });
    const BASE_URL = await listen(
      (_req, res) => void res.writeHead(302, { Location: elsewhere }).end(),
    );
    const { code } = await call({ BASE_URL, API_KEY: alice });
    expect(seen).toEqual([]);
    expect(code).not.toBe(0);
  });

  it.runIf(process.platform === 'linux')(
    'while it calls -> no command line shows the key',
    async () => {
      let shown: string[] | undefined;
      const BASE_URL = await listen((_req, res) => {
        shown = commandLines().filter((line) => line.includes(alice));
        res.end('{}');
      });
      await call({ BASE_URL, API_KEY: alice });
      expect(shown).toEqual([]);
    },
  );
});

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
}

import { generateApiKey, keyList } from 'require-api-key';
import request from 'supertest';
import { expect, it, vi } from 'vitest';
import { type AudioApiOptions, createApp } from '../../examples/audio-api/app.js';
import { tonePath } from '../fixtures/make-tone.js';
import { temporaryFolder } from '../support/audio-api.js';

const alice = generateApiKey().key;
const internal = generateApiKey().key;
vi.stubEnv('INTERNAL_API_KEY', internal);
const stranger = generateApiKey().key;

function setUp(options: Partial<AudioApiOptions> = {}) {
  const lines: string[] = [];
  const logStream = { write: (line: string) => void lines.push(line) };
  const app = createApp({
    uploadsDir: temporaryFolder(),
    source: keyList({ alice }, { scopes: ['audio:write'] }),
    logStream,
    ...options,
  });
  const entries = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { app, lines, entries };
}

function failing(): never {
  throw new Error('the lock is stuck');
}

it('an admitted request -> one line that names its caller', async () => {
  const { app, entries } = setUp();
  await request(app).get('/hello').set('X-API-Key', alice);
  expect(entries()).toEqual([
    expect.objectContaining({
      level: 30,
      req: { id: 1, method: 'GET', route: '/hello' },
      res: { statusCode: 200 },
      user: 'alice',
      keyId: 'alice#1',
      msg: 'request completed',
    }),
  ]);
});

it('a refused request -> one line that names nobody', async () => {
  const { app, entries } = setUp();
  await request(app).get('/hello').set('X-API-Key', stranger);
  expect(entries()).toEqual([expect.objectContaining({ level: 30, res: { statusCode: 401 } })]);
  expect(entries()[0]).not.toHaveProperty('user');
});

it('keys in every header and all over the URL -> none of them is logged', async () => {
  const { app, lines } = setUp();
  for (const key of [alice, internal, stranger]) {
    const query = `?api_key=${key}&key=${key}`;
    const headers = {
      'X-API-Key': key,
      'X-Internal-Api-Key': key,
      Authorization: `Bearer ${key}`,
      Cookie: `key=${key}`,
      'User-Agent': key,
      Referer: `https://app.example/${query}`,
      'Api-Key': key,
    };
    await request(app).get(`/hello${query}`).set(headers);
    await request(app).get(`/_internal/jobs${query}`).set(headers);
    await request(app).get(`/hello/${key}`).set(headers);
    await request(app).post(`/upload-audio${query}`).set(headers).attach('audio', tonePath);
  }
  expect(lines).toHaveLength(12);
  const log = lines.join('');
  for (const key of [alice, internal, stranger]) {
    expect(log).not.toContain(key);
    expect(log).not.toContain(key.slice(-30));
  }
});

it('a fault of the server -> one line with the reason, and still no key', async () => {
  const { app, entries, lines } = setUp({ source: failing });
  // The library tells the operator as well; here that would only be noise.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  await request(app).get('/hello').set('X-API-Key', alice).expect(503);
  expect(entries()).toEqual([expect.objectContaining({ level: 50, res: { statusCode: 503 } })]);
  expect(lines.join('')).not.toContain(alice);
});

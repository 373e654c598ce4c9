import { setTimeout as delay } from 'node:timers/promises';
import { ApiKeyManager, generateApiKey, keyList, MemoryKeyStore } from 'require-api-key';
import request from 'supertest';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type AudioApiOptions, createApp } from '../../examples/audio-api/app.js';
import { expectProblem, temporaryFolder } from '../support/audio-api.js';

const alice = generateApiKey().key;
const bob = generateApiKey().key;

const warnings = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
afterEach(() => {
  for (const warning of warnings) expect(warning).not.toHaveBeenCalled();
});

function hello(options: Partial<AudioApiOptions> = {}) {
  const app = createApp({
    uploadsDir: temporaryFolder(),
    source: keyList({ alice, bob }, { scopes: ['audio:write'] }),
    ...options,
  });
  return (key: string, headers: Record<string, string> = {}) =>
    request(app).get('/hello').set('X-API-Key', key).set(headers);
}

async function slowSource(key: string): Promise<string | undefined> {
  await delay(50);
  return key === alice ? 'alice' : undefined;
}

const wrong = () => generateApiKey().key;

describe('failed attempts', () => {
  it('as many as the limit -> the next one waits, with a good key too', async () => {
    const get = hello({ limits: { failedAttempts: 3 } });
    for (let attempt = 0; attempt < 3; attempt += 1)
      expectProblem(await get(wrong()), 401, 'invalid_api_key');
    for (const key of [wrong(), alice]) {
      const response = await get(key);
      expectProblem(response, 429, 'too_many_failed_attempts');
      expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(Number(response.headers['retry-after'])).toBeLessThanOrEqual(60);
    }
  });

  it('nothing configured -> twenty are let through and the next one waits', async () => {
    const get = hello();
    for (let attempt = 0; attempt < 20; attempt += 1) await get(wrong()).expect(401);
    await get(wrong()).expect(429);
  });

  it('the window is over -> the address is heard again', async () => {
    const get = hello({ limits: { failedAttempts: 1, windowMs: 300 } });
    await get(wrong()).expect(401);
    await get(alice).expect(429);
    await vi.waitFor(() => get(alice).expect(200), { timeout: 5000, interval: 50 });
  });

  it('good requests, unknown paths and refusals other than 401 -> are not counted', async () => {
    const app = createApp({
      uploadsDir: temporaryFolder(),
      source: keyList({ alice }, { scopes: ['audio:write'] }),
      limits: { failedAttempts: 1 },
    });
    for (let count = 0; count < 3; count += 1) {
      await request(app).get('/nowhere').expect(404);
      await request(app).post('/upload-audio').set('X-API-Key', alice).expect(415);
      await request(app).get('/hello').set('X-API-Key', alice).expect(200);
    }
  });

  it('many good requests under way at once -> none is turned away', async () => {
    const get = hello({ source: slowSource, limits: { failedAttempts: 1 } });
    const responses = await Promise.all(Array.from({ length: 10 }, () => get(alice)));
    expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200));
  });

  it('one address behind a trusted proxy fails -> the others are heard', async () => {
    const get = hello({ limits: { failedAttempts: 1 }, trustedProxies: 1 });
    await get(wrong(), { 'X-Forwarded-For': '192.0.2.1' }).expect(401);
    await get(alice, { 'X-Forwarded-For': '192.0.2.1' }).expect(429);
    await get(alice, { 'X-Forwarded-For': '192.0.2.2' }).expect(200);
  });

  it('no proxy is trusted -> an address that the client made up changes nothing', async () => {
    const get = hello({ limits: { failedAttempts: 1 } });
    await get(wrong(), { 'X-Forwarded-For': '192.0.2.1' }).expect(401);
    await get(alice, { 'X-Forwarded-For': '192.0.2.2' }).expect(429);
  });

  it('two addresses of one IPv6 subnet -> are counted as one', async () => {
    const get = hello({ limits: { failedAttempts: 1 }, trustedProxies: 1 });
    await get(wrong(), { 'X-Forwarded-For': '2001:db8:0:1::1' }).expect(401);
    await get(alice, { 'X-Forwarded-For': '2001:db8:0:2::2' }).expect(429);
    await get(alice, { 'X-Forwarded-For': '2001:db8:1::1' }).expect(200);
  });
});

describe('requests per user', () => {
  it('one user has used up the allowance -> that user waits and the other does not', async () => {
    const get = hello({ limits: { requestsPerUser: 2 } });
    const first = await get(alice).expect(200);
    expect(first.headers['ratelimit']).toContain('r=1');
    await get(alice).expect(200);
    const response = await get(alice);
    expectProblem(response, 429, 'too_many_requests');
    expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    await get(bob).expect(200);
  });

  it('the same key from two addresses -> one allowance', async () => {
    const get = hello({ limits: { requestsPerUser: 1 }, trustedProxies: 1 });
    await get(alice, { 'X-Forwarded-For': '192.0.2.1' }).expect(200);
    await get(alice, { 'X-Forwarded-For': '192.0.2.2' }).expect(429);
  });

  it('a key is rotated, and another made -> the allowance goes on, and does not grow', async () => {
    const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
    const first = await keys.create({ user: 'carol' });
    const get = hello({ keys, limits: { requestsPerUser: 2 } });
    await get(first.key).expect(200);
    const successor = await keys.rotate(first.record.keyId);
    await get(successor.key).expect(200);
    const another = await keys.create({ user: 'carol' });
    for (const { key } of [first, successor, another]) await get(key).expect(429);
    await get((await keys.create({ user: 'dave' })).key).expect(200);
  });

  it('the allowance is used up -> an upload is not read', async () => {
    const uploadsDir = temporaryFolder();
    const app = createApp({
      uploadsDir,
      source: keyList({ alice }, { scopes: ['audio:write'] }),
      limits: { requestsPerUser: 1 },
    });
    await request(app).get('/hello').set('X-API-Key', alice).expect(200);
    const response = await request(app)
      .post('/upload-audio')
      .set('X-API-Key', alice)
      .attach('audio', Buffer.from('x'), 'a.wav');
    expectProblem(response, 429, 'too_many_requests');
  });
});

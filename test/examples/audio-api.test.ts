import { rmSync } from 'node:fs';
import { generateApiKey, keyList } from 'require-api-key';
import request from 'supertest';
import { describe, expect, it, vi } from 'vitest';
import { createApp } from '../../examples/audio-api/app.js';
import { tonePath } from '../fixtures/make-tone.js';
import { expectProblem, temporaryFolder } from '../support/audio-api.js';

const alice = generateApiKey().key;
const bob = generateApiKey().key;
const internal = generateApiKey().key;
vi.stubEnv('API_KEYS', `alice:${alice},bob:${bob}`);
vi.stubEnv('INTERNAL_API_KEY', internal);

describe('GET /hello', () => {
  it('the key of alice -> greets alice', async () => {
    const app = createApp({ uploadsDir: temporaryFolder() });
    const response = await request(app).get('/hello').set('X-API-Key', alice);
    expect(response.status).toBe(200);
    expect(response.body).toEqual({ message: 'Hello, alice!' });
  });

  it('the internal key -> also opens the public route', async () => {
    const app = createApp({ uploadsDir: temporaryFolder() });
    await request(app).get('/hello').set('X-API-Key', internal).expect(200);
  });

  it('no key -> 401', async () => {
    const app = createApp({ uploadsDir: temporaryFolder() });
    expectProblem(await request(app).get('/hello'), 401, 'missing_api_key');
  });

  it('a source given to the app -> it decides, and not the environment', async () => {
    const carol = generateApiKey().key;
    const app = createApp({ uploadsDir: temporaryFolder(), source: keyList({ carol }) });
    const response = await request(app).get('/hello').set('X-API-Key', carol);
    expect(response.body).toEqual({ message: 'Hello, carol!' });
    expectProblem(await request(app).get('/hello').set('X-API-Key', alice), 401, 'invalid_api_key');
  });
});

describe('GET /_internal/jobs', () => {
  it('uploads by two users -> lists both with whose key sent them, the newest first', async () => {
    const app = createApp({ uploadsDir: temporaryFolder() });
    await request(app)
      .post('/upload-audio')
      .set('X-API-Key', alice)
      .attach('audio', tonePath)
      .expect(201);
    await request(app)
      .post('/upload-audio')
      .set('X-API-Key', bob)
      .attach('audio', tonePath)
      .expect(201);

    const response = await request(app).get('/_internal/jobs').set('X-Internal-Api-Key', internal);
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({
      jobs: [
        { filename: 'tone.wav', durationSeconds: 1.5, uploadedBy: { user: 'bob', keyId: 'bob#1' } },
        {
          filename: 'tone.wav',
          durationSeconds: 1.5,
          uploadedBy: { user: 'alice', keyId: 'alice#1' },
        },
      ],
    });
  });

  it('the app is made again over the same folder -> the list is still there', async () => {
    const uploadsDir = temporaryFolder();
    const upload = await request(createApp({ uploadsDir }))
      .post('/upload-audio')
      .set('X-API-Key', alice)
      .attach('audio', tonePath);
    const response = await request(createApp({ uploadsDir }))
      .get('/_internal/jobs')
      .set('X-Internal-Api-Key', internal);
    expect(response.body).toEqual({ jobs: [upload.body] });
  });

  it.each([
    ['nothing', {}, 'missing_api_key'],
    ['a public key in the internal header', { 'X-Internal-Api-Key': alice }, 'invalid_api_key'],
    ['the internal key in the public header', { 'X-API-Key': internal }, 'missing_api_key'],
  ])('%s -> 401', async (_, headers, code) => {
    const app = createApp({ uploadsDir: temporaryFolder() });
    expectProblem(await request(app).get('/_internal/jobs').set(headers), 401, code);
  });

  it('a key of the source given to the app -> does not open the internal route', async () => {
    const carol = generateApiKey().key;
    const app = createApp({ uploadsDir: temporaryFolder(), source: keyList({ carol }) });
    const response = await request(app).get('/_internal/jobs').set('X-Internal-Api-Key', carol);
    expectProblem(response, 401, 'invalid_api_key');
  });
});

describe('every route', () => {
  it('a browser asks before it uploads -> leave is given without a key', async () => {
    const app = createApp({ uploadsDir: temporaryFolder() });
    const response = await request(app)
      .options('/upload-audio')
      .set('Origin', 'https://app.example')
      .set('Access-Control-Request-Method', 'POST')
      .set('Access-Control-Request-Headers', 'x-api-key');
    expect(response.status).toBe(204);
    expect(response.headers['access-control-allow-headers']).toBe('x-api-key');
  });

  it('a refusal read by a browser -> it may read it and when to come back', async () => {
    const app = createApp({ uploadsDir: temporaryFolder() });
    const { headers } = await request(app).get('/hello').set('Origin', 'https://app.example');
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-expose-headers']).toContain('Retry-After');
  });

  it('any answer -> carries the headers of helmet', async () => {
    const app = createApp({ uploadsDir: temporaryFolder() });
    const { headers } = await request(app).get('/hello');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  it('an unknown path -> 404', async () => {
    const app = createApp({ uploadsDir: temporaryFolder() });
    expectProblem(await request(app).get('/nowhere'), 404, 'not_found');
  });

  it('the folder is gone -> 500 that does not tell its name', async () => {
    const uploadsDir = temporaryFolder();
    const app = createApp({ uploadsDir });
    rmSync(uploadsDir, { recursive: true });
    const response = await request(app)
      .post('/upload-audio')
      .set('X-API-Key', alice)
      .attach('audio', tonePath);
    expectProblem(response, 500, 'internal_error');
    expect(response.text).not.toContain(uploadsDir);
  });
});

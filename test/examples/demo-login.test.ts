import { ApiKeyManager, MemoryKeyStore } from 'require-api-key';
import request from 'supertest';
import { describe, expect, it, vi } from 'vitest';
import { createApp } from '../../examples/audio-api/app.js';
import { readSettings } from '../../examples/audio-api/settings.js';
import { expectProblem, temporaryFolder } from '../support/audio-api.js';

const demoLoginSecret = 's'.repeat(32);

function setUp(options: { demoLoginSecret?: string; trustedProxies?: number } = {}) {
  const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
  const app = createApp({ uploadsDir: temporaryFolder(), keys, demoLoginSecret, ...options });
  const login = (name: string) => request(app).post('/login').type('form').send({ name });
  const session = (cookie: string) =>
    request(app).get('/account/keys/api/session').set('Cookie', cookie);
  return { keys, app, login, session };
}

const cookieOf = (response: { headers: Record<string, unknown> }) =>
  String(response.headers['set-cookie']).split(';')[0] ?? '';

describe('the demo login', () => {
  it('the form -> says that it is for demonstration, and nothing on it can run', async () => {
    const { app } = setUp();
    const { text, headers } = await request(app).get('/login').expect(200);
    expect(text).toContain('For demonstration only, never for production');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'.*frame-ancestors 'none'/,
    );
  });

  it('a name is sent -> a cookie that no script sees, and on to the account page', async () => {
    const { login, session } = setUp();
    const response = await login('alice').expect(303);
    expect(response.headers['location']).toBe('/account/keys');
    expect(String(response.headers['set-cookie'])).toMatch(/; HttpOnly; SameSite=Lax/);
    expect((await session(cookieOf(response))).body).toMatchObject({ user: 'alice' });
  });

  it('logged in, a key is made on the account page -> it opens /hello, and may upload', async () => {
    const { app, login, keys } = setUp();
    const cookie = cookieOf(await login('alice'));
    const made = await request(app)
      .post('/account/keys/api/keys')
      .set({ Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' })
      .send({ name: 'laptop', scopes: ['audio:write'] })
      .expect(201);
    const { key } = made.body as { key: string };
    const greeting = await request(app).get('/hello').set('X-API-Key', key).expect(200);
    expect(greeting.body).toEqual({ message: 'Hello, alice!' });
    expect((await keys.list({ user: 'alice' }))[0]?.scopes).toEqual(['audio:write']);
  });

  it('not logged in -> sent to the login', async () => {
    const { app } = setUp();
    const { headers } = await request(app).get('/account/keys').expect(302);
    expect(headers['location']).toBe('/login');
  });

  it.each([
    ['made up', 'audio_api_demo_login=eyJ1c2VyIjoiYWxpY2UifQ.AAAA'],
    ['empty', 'audio_api_demo_login='],
    ['without a signature', 'audio_api_demo_login=eyJ1c2VyIjoiYWxpY2UifQ'],
  ])('a cookie that is %s -> nobody is logged in', async (_, cookie) => {
    await setUp().session(cookie).expect(401);
  });

  it('a cookie of another secret, or changed -> nobody is logged in', async () => {
    const { login, session } = setUp();
    const other = setUp({ demoLoginSecret: 'o'.repeat(32) });
    const cookie = cookieOf(await login('alice'));
    await other.session(cookie).expect(401);
    const [payload, signature] = cookie.split('.');
    await session(`${payload}x.${signature}`).expect(401);
    await session(`unrelated=1; ${cookie}`).expect(200);
  });

  it('eight hours later -> logged out', async () => {
    const { login, session } = setUp();
    const cookie = cookieOf(await login('alice'));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 8 * 3_600_000 });
    try {
      await session(cookie).expect(401);
    } finally {
      vi.useRealTimers();
    }
  });

  it('the button to log out -> the cookie is taken back', async () => {
    const { app, login } = setUp();
    const page = await request(app)
      .get('/login')
      .set('Cookie', cookieOf(await login('<b>')));
    expect(page.text).toContain('Logged in as &#60;b&#62;');
    const response = await request(app).post('/login').type('form').send({ logout: 'yes' });
    expect(response.headers['location']).toBe('/login');
    expect(String(response.headers['set-cookie'])).toMatch(/demo_login=; Max-Age=0;/);
  });

  it.each([
    ['blank', '  '],
    ['too long', 'x'.repeat(65)],
    ['with a line break', 'a\nb'],
  ])('a name that is %s -> 400', async (_, name) => {
    const response = await setUp().login(name);
    expectProblem(response, 400, 'bad_name');
    expect(response.headers['set-cookie']).toBeUndefined();
  });

  it('sent by a page of another site -> 403, and no cookie', async () => {
    const response = await setUp().login('mallory').set('Sec-Fetch-Site', 'cross-site');
    expectProblem(response, 403, 'cross_origin');
    expect(response.headers['set-cookie']).toBeUndefined();
  });

  it.each([
    ['another machine, through a trusted proxy', { 'X-Forwarded-For': '192.0.2.1' }],
    ['a site whose name points at this machine', { Host: 'rebound.example' }],
  ])('from %s -> 403, and a cookie counts for nothing', async (_, headers) => {
    const { app, login } = setUp({ trustedProxies: 1 });
    const cookie = cookieOf(await login('alice'));
    expectProblem(await request(app).get('/login').set(headers), 403, 'local_only');
    const session = request(app).get('/account/keys/api/session').set('Cookie', cookie);
    await session.set(headers).expect(401);
  });
});

describe('the settings of the demo login', () => {
  it('NODE_ENV=production -> there is no such login and no account page', async () => {
    const settings = readSettings({ NODE_ENV: 'production', DEMO_LOGIN_SECRET: demoLoginSecret });
    expect(settings.demoLoginSecret).toBeUndefined();
    const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
    const app = createApp({ uploadsDir: temporaryFolder(), keys });
    expectProblem(await request(app).get('/login'), 404, 'not_found');
    expectProblem(await request(app).get('/account/keys'), 404, 'not_found');
  });

  it('no secret -> a random one; a short one -> an error that does not show it', () => {
    const random = () => readSettings({}).demoLoginSecret;
    expect(random()).toMatch(/^[\w-]{43}$/);
    expect(random()).not.toBe(random());
    expect(readSettings({ DEMO_LOGIN_SECRET: demoLoginSecret }).demoLoginSecret).toBe(
      demoLoginSecret,
    );
    expect(() => readSettings({ DEMO_LOGIN_SECRET: 'short' })).toThrow(
      /^DEMO_LOGIN_SECRET must have at least 32 characters\.$/,
    );
  });
});

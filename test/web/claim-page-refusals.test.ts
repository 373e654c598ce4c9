import express5 from 'express';
import { describe, expect, it, vi } from 'vitest';
import { ApiKeyManager, MemoryKeyStore } from '../../src/index.js';
import { claimPage } from '../../src/web.js';
import { expressVersions } from '../support/guarded-app.js';
import {
  expectWebProblem,
  keysWithoutClaims,
  memoryKeys,
  startWebApp,
  type WebAppOptions,
} from '../support/web-app.js';

describe.each(expressVersions)('what the claim page refuses on $version', ({ express }) => {
  const start = (options: WebAppOptions = {}) => startWebApp({ express, ...options });

  it.each([
    ['DELETE', '/claim', 'GET, HEAD, POST'],
    ['PUT', '/claim/', 'GET, HEAD, POST'],
    ['PUT', '/claim/claim.js', 'GET, HEAD'],
    ['GET', '/claim/claim', 'POST'],
    ['HEAD', '/claim/describe', 'POST'],
    ['OPTIONS', '/claim/claim', 'POST'],
    ['PATCH', '/claim/describe', 'POST'],
  ])('%s %s -> 405 with what it takes, and nothing is made', async (method, path, allow) => {
    const { keys, send } = await start();
    const { token } = await keys.createClaim({ user: 'alice' });
    const reply = await send(method, path, method === 'HEAD' ? {} : { body: { token } });
    expect(reply.headers['allow']).toBe(allow);
    expect(reply.status).toBe(405);
    if (method !== 'HEAD') expectWebProblem(reply, 405, 'method_not_allowed');
    expect(await keys.peekClaim(token)).toMatchObject({ user: 'alice' });
  });

  it.each([
    ['none', undefined],
    ['a form', 'application/x-www-form-urlencoded'],
    ['text', 'text/plain'],
    ['text that looks like JSON', 'text/json'],
    ['a lookalike', 'application/jsonp'],
    ['another charset', 'application/json; charset=utf-16'],
    ['a multipart body', 'multipart/form-data; boundary=x'],
  ])('a content type that is %s -> 415, and nothing is made', async (_name, type) => {
    const { keys, send } = await start();
    const { token } = await keys.createClaim({ user: 'alice' });
    const headers = type === undefined ? {} : { 'Content-Type': type };
    for (const path of ['/claim', '/claim/', '/claim/claim']) {
      const reply = await send('POST', path, { headers, body: JSON.stringify({ token }) });
      expectWebProblem(reply, 415, 'unsupported_media_type');
    }
    expect(await keys.list()).toEqual([]);
  });

  it('a compressed body -> 415', async () => {
    const { send } = await start();
    const reply = await send('POST', '/claim/claim', {
      headers: { 'Content-Encoding': 'gzip' },
      body: { token: 'x' },
    });
    expectWebProblem(reply, 415, 'unsupported_media_type');
  });

  it.each([
    ['with its length', {}],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }],
  ])(
    'a body of 1 MB %s, a good token in it -> 413, and nothing is made',
    async (_name, headers) => {
      const { keys, send } = await start();
      const { token } = await keys.createClaim({ user: 'alice' });
      const reply = await send('POST', '/claim/claim', {
        headers,
        body: { token, filler: 'x'.repeat(1_000_000) },
      });
      expectWebProblem(reply, 413, 'content_too_large');
      expect(await keys.list()).toEqual([]);
      expect((await send('POST', '/claim/claim', { body: { token } })).status).toBe(201);
    },
  );

  it.each([
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a sister host', { 'Sec-Fetch-Site': 'same-site' }],
    ['another origin, in a browser without Sec-Fetch-Site', { Origin: 'https://evil.example' }],
    ['an origin of none', { Origin: 'null' }],
  ])('a claim from %s -> 403, and nothing is made', async (_name, headers) => {
    const { keys, send } = await start();
    const { token } = await keys.createClaim({ user: 'alice' });
    for (const action of ['', 'describe', 'claim']) {
      expectWebProblem(
        await send('POST', `/claim/${action}`, { headers, body: { token } }),
        403,
        'cross_origin',
      );
    }
    expect(await keys.list()).toEqual([]);
  });

  it('a claim from the page itself -> the key', async () => {
    const { keys, port, send } = await start();
    for (const headers of [
      { 'Sec-Fetch-Site': 'same-origin' },
      { Origin: `http://127.0.0.1:${port}` },
    ]) {
      const { token } = await keys.createClaim({ user: 'alice' });
      expect((await send('POST', '/claim/claim', { headers, body: { token } })).status).toBe(201);
    }
  });

  it('a path below the mount that is not the page -> left to the application', async () => {
    const { send } = await start();
    for (const path of [
      '/claim/other',
      '/claim/../package.json',
      '/claim/assets.ts',
      '/claim/__proto__',
    ]) {
      const reply = await send('GET', path);
      expect(reply.status, path).toBe(404);
      expect(reply.headers['content-security-policy']).not.toContain('script-src');
    }
  });

  it('a store that fails -> 503 with Retry-After, and neither token nor key in the log', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const store = new MemoryKeyStore();
    const { keys, send } = await start({ keys: new ApiKeyManager({ store }) });
    const { token } = await keys.createClaim({ user: 'alice' });
    vi.spyOn(store.claims, 'take').mockRejectedValueOnce(new Error('the store is down'));
    const reply = await send('POST', '/claim/claim', { body: { token } });
    expectWebProblem(reply, 503, 'service_unavailable');
    expect(reply.headers['retry-after']).toBe('5');
    expect(reply.text).not.toContain('down');
    expect(log.mock.calls.flat().join('\n')).not.toContain(token);
    log.mockRestore();
    expect((await send('POST', '/claim/claim', { body: { token } })).status).toBe(201);
  });
});

describe('claimPage', () => {
  const keys = memoryKeys();

  it.each([
    ['no options', undefined, /"keys" must be an ApiKeyManager/],
    ['null', null, /the options must be/],
    [
      'something like a manager',
      { keys: { ...keys, keepsClaims: true, claim: () => ({}) } },
      /"keys" must be an ApiKeyManager/,
    ],
    ['an unknown option', { keys, api: 'x' }, /unknown option "api"/],
    ['a blank apiName', { keys, apiName: ' ' }, /"apiName" must be/],
    ['invitedBy with a line break', { keys, invitedBy: 'Bob\nEve' }, /"invitedBy" must be/],
    ['a header that is none', { keys, header: 'X API' }, /"header" must be/],
    ['a cookie header', { keys, header: 'Cookie' }, /"header" must be/],
    ['a scheme of two words', { keys, scheme: 'Bearer x' }, /"scheme" must be/],
    ['a script as example', { keys, exampleUrl: 'javascript:alert(1)' }, /"exampleUrl" must be/],
    [
      'an example with a password',
      { keys, exampleUrl: 'https://a:b@host/' },
      /"exampleUrl" must be/,
    ],
  ])('%s -> a TypeError at set-up that says what is wrong', (_name, options, message) => {
    const mount = () => claimPage(options as unknown as Parameters<typeof claimPage>[0]);
    expect(mount).toThrow(TypeError);
    expect(mount).toThrow(message);
  });

  it('a manager whose store keeps no claim links -> a TypeError at set-up', () => {
    expect(() => claimPage({ keys: keysWithoutClaims() })).toThrow(/keeps no claim links/);
  });

  it('mounted at the root of an application -> its other routes are reached', async () => {
    const app = express5();
    app.use(claimPage({ keys }));
    app.get('/hello', (_req, res) => void res.send('hello'));
    const { send } = await startWebApp({ before: [app] });
    expect((await send('GET', '/hello')).text).toBe('hello');
    expect((await send('GET', '/')).text).toContain('./claim.js');
  });
});

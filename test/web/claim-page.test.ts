import express5, { json } from 'express';
import helmet from 'helmet';
import { describe, expect, it, vi } from 'vitest';
import { ApiKeyManager, MemoryKeyStore, parseApiKey } from '../../src/index.js';
import { claimPage } from '../../src/web.js';
import { expressVersions } from '../support/guarded-app.js';
import {
  expectSecured,
  expectWebProblem,
  listenToClaims,
  memoryKeys,
  startWebApp,
  type WebReply,
} from '../support/web-app.js';

const hourMs = 3_600_000;
const previewers = {
  Slack: 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
  Telegram: 'TelegramBot (like TwitterBot)',
  'a mail scanner': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) SafeLinks',
};
/** What an answer is, byte for byte, apart from the clock. */
const bytesOf = ({ status, lines, text }: WebReply) => [status, ...lines, text].join('\n');
const flipped = (token: string) => token.slice(0, -1) + (token.endsWith('A') ? 'Q' : 'A');

describe.each(expressVersions)('the claim page on $version', ({ express }) => {
  const start = (options: Parameters<typeof startWebApp>[0] = {}) => startWebApp({ express, ...options });

  it.each(Object.entries(previewers))(
    '%s looks at the link -> a page without data, and the link is open',
    async (_name, agent) => {
      const events = listenToClaims();
      const { keys, send } = await start({ claim: { apiName: 'Audio API', invitedBy: 'Bob' } });
      const { token } = await keys.createClaim({ user: 'alice' });
      for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'GET']) {
        const reply = await send(method, `/claim?x=${token}`, { headers: { 'User-Agent': agent } });
        expect(reply.status).toBe(200);
        expectSecured(reply);
        expect(reply.text === '').toBe(method === 'HEAD');
        expect(reply.text).not.toMatch(/alice|Audio API|Bob/);
        expect(reply.text).not.toContain(token);
      }
      expect(events.map(({ outcome }) => outcome)).toEqual(['created']);
      expect(await keys.peekClaim(token)).toMatchObject({ user: 'alice' });
      expect(await keys.list()).toEqual([]);
    },
  );

  it('the page at either address -> refers to files that are there, from its own host alone', async () => {
    const { send } = await start();
    for (const address of ['/claim', '/claim/', '/claim?from=mail']) {
      const page = await send('GET', address);
      const references = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(
        ([, reference]) => reference!,
      );
      expect(references.length).toBeGreaterThanOrEqual(4);
      for (const reference of references) {
        expect(reference).toMatch(/^\.\//);
        const file = await send('GET', new URL(reference, `http://host${address}`).pathname);
        expect(file.status, reference).toBe(200);
        expectSecured(file);
      }
    }
  });

  it('describe -> who invites, for which API, what the key may do and until when; nothing changes', async () => {
    const { keys, send } = await start({ claim: { apiName: 'Audio API', invitedBy: 'Bob' } });
    const expiresAt = new Date(Date.now() + 90 * 24 * hourMs);
    const { token, claim } = await keys.createClaim({
      user: '<b>alice</b>',
      name: '"><script>alert(1)</script>',
      scopes: ['audio:write'],
      expiresAt,
      metadata: { secret: 'plan' },
    });
    for (let turn = 0; turn < 3; turn++) {
      const reply = await send('POST', '/claim/describe', { body: { token } });
      expect(reply.status).toBe(200);
      expectSecured(reply);
      expect(reply.headers['content-type']).toBe('application/json');
      expect(reply.json).toEqual({
        user: '<b>alice</b>',
        name: '"><script>alert(1)</script>',
        scopes: ['audio:write'],
        keyExpiresAt: expiresAt.toISOString(),
        expiresAt: claim.expiresAt.toISOString(),
        apiName: 'Audio API',
        invitedBy: 'Bob',
      });
    }
    expect(await keys.list()).toEqual([]);
    expect(await keys.listClaims()).toEqual([claim]);
  });

  it('claim -> the key once, which works on the next request', async () => {
    const { keys, send } = await start({ claim: { exampleUrl: '/hello' } });
    const { token, claim } = await keys.createClaim({ user: 'alice', scopes: ['audio:write'] });
    const reply = await send('POST', '/claim/claim', { body: { token } });
    expect(reply.status).toBe(201);
    expectSecured(reply);
    const { key, keyId, ...rest } = reply.json as { key: string; keyId: string };
    expect(rest).toEqual({ header: 'X-API-Key', exampleUrl: '/hello' });
    expect(parseApiKey(key)?.keyId).toBe(keyId);
    const hello = await send('GET', '/hello', { headers: { 'X-API-Key': key } });
    expect(hello.json).toEqual({ message: 'Hello, alice!' });
    expect(await keys.get(keyId)).toMatchObject({ user: 'alice', scopes: ['audio:write'] });
    expect(await keys.listClaims()).toEqual([{ ...claim, claimedAt: expect.any(Date), keyId }]);
  });

  it('used, expired, withdrawn, malformed, unknown -> one answer, byte for byte; operators hear which', async () => {
    let now = Date.now();
    const keys = new ApiKeyManager({ store: new MemoryKeyStore(), now: () => now });
    const { send } = await start({ keys });
    const [used, withdrawn, expired] = [
      await keys.createClaim({ user: 'used' }),
      await keys.createClaim({ user: 'withdrawn' }),
      await keys.createClaim({ user: 'expired', claimTtlMs: hourMs }),
    ];
    await send('POST', '/claim/claim', { body: { token: used.token } });
    await keys.revokeClaim(withdrawn.claim.claimId);
    now += hourMs;
    const attempts = [
      ['used', { token: used.token }],
      ['withdrawn', { token: withdrawn.token }],
      ['expired', { token: expired.token }],
      ['unknown', { token: flipped(used.token) }],
      ['malformed', { token: used.token.slice(1) }],
      ['malformed', { token: `${used.token} ` }],
      ['malformed', { token: [used.token] }],
      ['malformed', { token: { toString: 'x' } }],
      ['malformed', { token: null }],
      ['malformed', {}],
      ['malformed', []],
      ['malformed', '{"token":'],
      ['malformed', ''],
      ['malformed', '"text"'],
      ['malformed', 'null'],
    ] as const;
    for (const action of ['describe', 'claim']) {
      const answers = new Set<string>();
      for (const [reason, body] of attempts) {
        const events = listenToClaims();
        const reply = await send('POST', `/claim/${action}`, {
          body,
          headers: { 'Content-Type': 'application/json' },
        });
        expectWebProblem(reply, 404, 'claim_not_usable');
        answers.add(bytesOf(reply));
        expect(events).toHaveLength(1);
        expect(events[0]).toMatchObject({ outcome: 'refused', code: 'claim_not_usable', reason });
        const { claimId } = events[0]!;
        const made = { used, withdrawn, expired }[reason as 'used'];
        expect(claimId).toBe(made?.claim.claimId);
      }
      expect([...answers]).toHaveLength(1);
    }
    expect(await keys.list()).toHaveLength(1);
  });

  it('fifty claims of one link at once -> one key, and 49 times the one answer', async () => {
    const { keys, send } = await start();
    const { token } = await keys.createClaim({ user: 'alice' });
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => send('POST', '/claim/claim', { body: { token } })),
    );
    const refused = replies.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(49);
    expect(new Set(refused.map(bytesOf)).size).toBe(1);
    expect(await keys.list()).toHaveLength(1);
  });

  it.each([
    ['DELETE', '/claim', 'GET, HEAD'],
    ['POST', '/claim/', 'GET, HEAD'],
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
    const reply = await send('POST', '/claim/claim', { headers, body: JSON.stringify({ token }) });
    expectWebProblem(reply, 415, 'unsupported_media_type');
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
  ])('a body of 1 MB %s, a good token in it -> 413, and nothing is made', async (_name, headers) => {
    const { keys, send } = await start();
    const { token } = await keys.createClaim({ user: 'alice' });
    const reply = await send('POST', '/claim/claim', {
      headers,
      body: { token, filler: 'x'.repeat(1_000_000) },
    });
    expectWebProblem(reply, 413, 'content_too_large');
    expect(await keys.list()).toEqual([]);
    expect((await send('POST', '/claim/claim', { body: { token } })).status).toBe(201);
  });

  it.each([
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a sister host', { 'Sec-Fetch-Site': 'same-site' }],
    ['another origin, in a browser without Sec-Fetch-Site', { Origin: 'https://evil.example' }],
    ['an origin of none', { Origin: 'null' }],
  ])('a claim from %s -> 403, and nothing is made', async (_name, headers) => {
    const { keys, send } = await start();
    const { token } = await keys.createClaim({ user: 'alice' });
    for (const action of ['describe', 'claim']) {
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
    for (const headers of [{ 'Sec-Fetch-Site': 'same-origin' }, { Origin: `http://127.0.0.1:${port}` }]) {
      const { token } = await keys.createClaim({ user: 'alice' });
      expect((await send('POST', '/claim/claim', { headers, body: { token } })).status).toBe(201);
    }
  });

  it('a path below the mount that is not the page -> left to the application', async () => {
    const { send } = await start();
    for (const path of ['/claim/other', '/claim/../package.json', '/claim/assets.ts', '/claim/__proto__']) {
      const reply = await send('GET', path);
      expect(reply.status, path).toBe(404);
      expect(reply.headers['content-security-policy']).not.toContain('script-src');
    }
  });

  it('an application with helmet and a JSON parser in front -> the page works, its own headers hold', async () => {
    const { keys, send } = await start({ before: [helmet(), json()] });
    const { token } = await keys.createClaim({ user: 'alice' });
    expectSecured(await send('GET', '/claim'));
    const reply = await send('POST', '/claim/claim', { body: { token } });
    expect(reply.status).toBe(201);
    expectSecured(reply);
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
    ['an example with a password', { keys, exampleUrl: 'https://a:b@host/' }, /"exampleUrl" must be/],
  ])('%s -> a TypeError at set-up that says what is wrong', (_name, options, message) => {
    const mount = () => claimPage(options as unknown as Parameters<typeof claimPage>[0]);
    expect(mount).toThrow(TypeError);
    expect(mount).toThrow(message);
  });

  it('a manager whose store keeps no claim links -> a TypeError at set-up', () => {
    const store = new MemoryKeyStore();
    Object.defineProperty(store, 'claims', { value: undefined });
    const without = new ApiKeyManager({ store });
    expect(() => claimPage({ keys: without })).toThrow(/keeps no claim links/);
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

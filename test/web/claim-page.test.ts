import { json } from 'express';
import helmet from 'helmet';
import { describe, expect, it } from 'vitest';
import { ApiKeyManager, MemoryKeyStore, parseApiKey } from '../../src/index.js';
import { expressVersions } from '../support/guarded-app.js';
import {
  expectSecured,
  expectWebProblem,
  listenToClaims,
  startWebApp,
  type WebAppOptions,
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
  const start = (options: WebAppOptions = {}) => startWebApp({ express, ...options });

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

  it.each([
    ["the page's own address", '/claim'],
    ['the same with a slash', '/claim/'],
    ['the address below it', '/claim/claim'],
  ])('a claim at %s -> the key once, which works on the next request', async (_where, path) => {
    const { keys, send } = await start({ claim: { exampleUrl: '/hello' } });
    const { token, claim } = await keys.createClaim({ user: 'alice', scopes: ['audio:write'] });
    const reply = await send('POST', path, { body: { token } });
    expect(reply.status).toBe(201);
    expectSecured(reply);
    const { key, keyId, ...rest } = reply.json as { key: string; keyId: string };
    expect(rest).toEqual({ header: 'X-API-Key', exampleUrl: '/hello' });
    expect(parseApiKey(key)?.keyId).toBe(keyId);
    const hello = await send('GET', '/hello', { headers: { 'X-API-Key': key } });
    expect(hello.json).toEqual({ message: 'Hello, alice!' });
    expect(await keys.get(keyId)).toMatchObject({ user: 'alice', scopes: ['audio:write'] });
    expect(await keys.listClaims()).toEqual([{ ...claim, claimedAt: expect.any(Date), keyId }]);
    expectWebProblem(await send('POST', path, { body: { token } }), 404, 'claim_not_usable');
  });

  it('used, expired, revoked, malformed, unknown -> one answer, byte for byte; operators hear which', async () => {
    let now = Date.now();
    const keys = new ApiKeyManager({ store: new MemoryKeyStore(), now: () => now });
    const { send } = await start({ keys });
    const [used, revoked, expired] = [
      await keys.createClaim({ user: 'used' }),
      await keys.createClaim({ user: 'revoked' }),
      await keys.createClaim({ user: 'expired', claimTtlMs: hourMs }),
    ];
    await send('POST', '/claim/claim', { body: { token: used.token } });
    await keys.revokeClaim(revoked.claim.claimId);
    now += hourMs;
    const attempts = [
      ['used', { token: used.token }],
      ['revoked', { token: revoked.token }],
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
    for (const action of ['', 'describe', 'claim']) {
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
        const made = { used, revoked, expired }[reason as 'used'];
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

  it('an application with helmet and a JSON parser in front -> the page works, its own headers hold', async () => {
    const { keys, send } = await start({ before: [helmet(), json()] });
    const { token } = await keys.createClaim({ user: 'alice' });
    expectSecured(await send('GET', '/claim'));
    const reply = await send('POST', '/claim/claim', { body: { token } });
    expect(reply.status).toBe(201);
    expectSecured(reply);
  });
});

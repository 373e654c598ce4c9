import type { Request } from 'express';
import { describe, expect, it, vi } from 'vitest';
import { requireApiKey } from '../../src/index.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

const goodKey = sampleKey('good');
const present = { 'X-API-Key': goodKey };
const source = (key: string): string | undefined => (key === goodKey ? 'alice' : undefined);

/** Every form in which Node gives the headers, as one text. */
function headersOf(req: Request): string {
  return JSON.stringify([req.headers, req.rawHeaders, req.headersDistinct]);
}

describe.each(expressVersions)('stripHeader on $version', ({ express }) => {
  it('off -> the handler still sees the header', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source, stripHeader: false }) });

    await app.get(present);

    expect(app.lastRequest().get('X-API-Key')).toBe(goodKey);
  });

  it.each([
    ['read for the first time by the handler', () => {}],
    ['read in every form before the guard', headersOf],
  ])('on, headers %s -> the key is in none of them', async (_when, read) => {
    const app = await guardedApp(express, {
      before: [
        (req, _res, next) => {
          read(req);
          next();
        },
      ],
      guard: requireApiKey({ source, stripHeader: true }),
      answer: (req, res) => {
        res.json({
          get: req.get('X-API-Key') ?? null,
          headers: headersOf(req),
          user: req.apiKey?.user,
        });
      },
    });

    const reply = await app.raw(['X-Before: 1', `x-aPI-key: ${goodKey}`, 'X-After: 2']);

    expect(reply.text).toContain('"user":"alice"');
    expect(reply.text).toContain('"get":null');
    expect(reply.text).not.toContain(goodKey);
    expect(reply.text.toLowerCase()).not.toContain('x-api-key');
  });

  it('on, over plain HTTP where HTTPS is required -> what answers the refusal does not see the key either', async () => {
    let seen = '';
    const app = await guardedApp(express, {
      guard: requireApiKey({
        source,
        stripHeader: true,
        requireHttps: true,
        onRefused: (error, req, _res, next) => {
          seen = headersOf(req);
          next(error);
        },
      }),
    });

    const reply = await app.get(present);

    expect(reply.status).toBe(403);
    expect(seen.toLowerCase()).toContain('"host"');
    expect(seen).not.toContain(goodKey);
  });

  it('on -> all other headers stay, in pairs and in order', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source, stripHeader: true }) });

    await app.raw(['X-Before: 1', `X-API-Key: ${goodKey}`, 'X-After: 2', 'X-After: 3']);
    const { rawHeaders, headers, headersDistinct } = app.lastRequest();

    expect(rawHeaders).toEqual([
      'Host',
      'localhost',
      'Connection',
      'close',
      'X-Before',
      '1',
      'X-After',
      '2',
      'X-After',
      '3',
    ]);
    expect(headers).toMatchObject({ 'x-before': '1', 'x-after': '2, 3', host: 'localhost' });
    expect(headersDistinct).toMatchObject({ 'x-after': ['2', '3'] });
  });

  it('on, with a scheme -> the whole header is gone', async () => {
    const guard = requireApiKey({
      source,
      stripHeader: true,
      header: 'Authorization',
      scheme: 'Bearer',
    });
    const app = await guardedApp(express, { guard });

    expect((await app.get({ Authorization: `Bearer ${goodKey}` })).status).toBe(200);
    expect(headersOf(app.lastRequest())).not.toContain(goodKey);
    expect(app.lastRequest().headers.authorization).toBeUndefined();
  });

  it.each([
    [
      'a second guard of its own',
      [requireApiKey({ source, stripHeader: true }), requireApiKey({ source })],
    ],
    [
      'a second guard that strips too, and a third',
      [1, 2, 3].map(() => requireApiKey({ source, stripHeader: true })),
    ],
  ])('on, and %s on the same request -> it finds the key', async (_what, guard) => {
    const app = await guardedApp(express, { guard });

    expect((await app.get(present)).status).toBe(200);
    expect(headersOf(app.lastRequest())).not.toContain(goodKey);
  });

  it('on, and a second guard that does not know the key -> invalid, not missing', async () => {
    const guard = [
      requireApiKey({ source, stripHeader: true }),
      requireApiKey({ source: () => undefined }),
    ];
    const app = await guardedApp(express, { guard });

    expectRefused(await app.get(present), { status: 401, code: 'invalid_api_key' });
  });

  it('on, and a second guard on another header -> it does not take the key of the first', async () => {
    const guard = [
      requireApiKey({ source, stripHeader: true }),
      requireApiKey({ source, header: 'X-Second-Key' }),
    ];
    const app = await guardedApp(express, { guard });

    expectRefused(await app.get(present), {
      status: 401,
      code: 'missing_api_key',
      challenge: 'ApiKey realm="api", header="X-Second-Key"',
      vary: 'X-Second-Key',
    });
  });

  it('on, and the next request without a key -> it has none of the request before', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source, stripHeader: true }) });

    expect((await app.get(present)).status).toBe(200);
    expectRefused(await app.get(), { status: 401, code: 'missing_api_key', earlierRuns: 1 });
  });
});

describe.each(expressVersions)('requireHttps on $version', ({ express }) => {
  const refusal = { status: 403, code: 'https_required' } as const;

  it('plain HTTP -> one answer for good, bad, malformed and no keys, byte for byte', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source, requireHttps: true }) });
    const replies = [];
    for (const lines of [[`X-API-Key: ${goodKey}`], ['X-API-Key: bad'], ['X-API-Key: a b'], []]) {
      const reply = await app.raw(lines);
      expectRefused(reply, refusal);
      replies.push(reply.bytes);
    }

    expect(new Set(replies).size).toBe(1);
  });

  it('plain HTTP -> checked before anything else, no source asked', async () => {
    const verify = vi.fn(() => 'alice');
    const unconfigured = { verify, configured: () => false };
    for (const options of [
      { source: verify },
      { source: unconfigured },
      { source: verify, optional: true },
    ]) {
      const app = await guardedApp(express, {
        guard: requireApiKey({ ...options, requireHttps: true }),
      });
      expectRefused(await app.get(present), refusal);
      expectRefused(await app.get(), refusal);
    }
    expect(verify).not.toHaveBeenCalled();
  });

  it('X-Forwarded-Proto from a proxy that the app trusts -> admitted', async () => {
    const app = await guardedApp(express, {
      settings: { 'trust proxy': true },
      guard: requireApiKey({ source, requireHttps: true }),
    });

    expect((await app.get({ ...present, 'X-Forwarded-Proto': 'https' })).status).toBe(200);
    expectRefused(await app.get({ ...present, 'X-Forwarded-Proto': 'http' }), {
      ...refusal,
      earlierRuns: 1,
    });
    expectRefused(await app.get(present), { ...refusal, earlierRuns: 1 });
  });

  it.each([
    { 'X-Forwarded-Proto': 'https' },
    { 'X-Forwarded-Ssl': 'on' },
    { 'X-Url-Scheme': 'https' },
    { 'Front-End-Https': 'on' },
    { Forwarded: 'proto=https' },
  ])('%j from whom the app does not trust -> refused', async (claim) => {
    const app = await guardedApp(express, { guard: requireApiKey({ source, requireHttps: true }) });

    expectRefused(await app.get({ ...present, ...(claim as Record<string, string>) }), refusal);
  });
});

import type { RequestHandler } from 'express';
import { describe, expect, it, vi } from 'vitest';
import { requireApiKey } from '../../src/index.js';
import { expectRefused, problemOf } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

vi.spyOn(console, 'error').mockImplementation(() => {});

const goodKey = sampleKey('good');
const otherKey = sampleKey('other');
const knowsGood = (key: string): unknown =>
  key === goodKey ? { user: 'alice', scopes: [] } : undefined;

type Options = NonNullable<Parameters<typeof requireApiKey>[0]>;
const source = knowsGood as NonNullable<Options['source']>;
const answering = (answer: unknown): Options => ({ source: (() => answer) as typeof source });
const unconfigured: Options = { source: { verify: () => undefined, configured: () => false } };
const failing: Options = {
  source: () => {
    throw new Error('the table is gone');
  },
};

interface Row {
  readonly when: string;
  readonly status: 401 | 403 | 503;
  readonly code: string;
  readonly options: Options;
  readonly presented: string | undefined;
}

const rows: readonly Row[] = [
  {
    when: 'nothing presented',
    status: 401,
    code: 'missing_api_key',
    options: { source },
    presented: undefined,
  },
  {
    when: 'an empty header',
    status: 401,
    code: 'missing_api_key',
    options: { source },
    presented: '',
  },
  {
    when: 'a blank header',
    status: 401,
    code: 'missing_api_key',
    options: { source },
    presented: '  ',
  },
  {
    when: 'an unknown key',
    status: 401,
    code: 'invalid_api_key',
    options: { source },
    presented: otherKey,
  },
  {
    when: 'a malformed key',
    status: 401,
    code: 'invalid_api_key',
    options: { source },
    presented: 'a b',
  },
  {
    when: 'an expired key',
    status: 401,
    code: 'expired_api_key',
    options: answering({ ok: false, code: 'expired_api_key' }),
    presented: goodKey,
  },
  {
    when: 'a revoked key',
    status: 401,
    code: 'revoked_api_key',
    options: answering({ ok: false, code: 'revoked_api_key' }),
    presented: goodKey,
  },
  {
    when: 'a known key without the scope',
    status: 403,
    code: 'insufficient_scope',
    options: { source, scopes: ['audio:write'] },
    presented: goodKey,
  },
  {
    when: 'a good key over plain HTTP where HTTPS is required',
    status: 403,
    code: 'https_required',
    options: { source, requireHttps: true },
    presented: goodKey,
  },
  {
    when: 'a key and no source configured',
    status: 503,
    code: 'api_key_not_configured',
    options: unconfigured,
    presented: goodKey,
  },
  {
    when: 'no key and no source configured',
    status: 503,
    code: 'api_key_not_configured',
    options: unconfigured,
    presented: undefined,
  },
  {
    when: 'no key, no source configured, and optional',
    status: 503,
    code: 'api_key_not_configured',
    options: { ...unconfigured, optional: true },
    presented: undefined,
  },
  {
    when: 'a source that throws',
    status: 503,
    code: 'key_source_failed',
    options: failing,
    presented: goodKey,
  },
];

describe.each(expressVersions)('refusals on $version', ({ express }) => {
  it('a known key -> the handler runs and sees its user', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    const reply = await app.get({ 'X-API-Key': goodKey });

    expect(reply.status).toBe(200);
    expect(reply.handlerRuns).toBe(1);
    expect(app.lastRequest().apiKey?.user).toBe('alice');
  });

  it.each(rows)('$when -> $status $code', async ({ status, code, options, presented }) => {
    const app = await guardedApp(express, { guard: requireApiKey(options) });

    const reply = await app.get(presented === undefined ? {} : { 'X-API-Key': presented });

    expectRefused(reply, { status, code });
  });

  it.each(['get', 'post', 'options'] as const)('no key on %s -> refused', async (method) => {
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    expectRefused(await app.send(method), { status: 401, code: 'missing_api_key' });
  });

  it('no key on HEAD -> the same head, no body', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    const reply = await app.send('head');

    expect(reply.status).toBe(401);
    expect(reply.handlerRuns).toBe(0);
    expect(reply.headers['www-authenticate']).toBe('ApiKey realm="api", header="X-API-Key"');
    expect(reply.headers['cache-control']).toBe('no-store');
    expect(reply.text).toBe('');
  });

  it('malformed and unknown keys -> one answer, byte for byte', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });
    const unknown = await app.raw([`X-API-Key: ${otherKey}`]);
    expectRefused(unknown, { status: 401, code: 'invalid_api_key' });

    const malformed = [
      [`X-API-Key: ${goodKey}`, `X-API-Key: ${goodKey}`],
      [`X-API-Key: ${goodKey},${goodKey}`],
      [`X-API-Key: ${goodKey} ${goodKey}`],
      [`X-API-Key: ${goodKey}\t${goodKey}`],
      [`X-API-Key: ${goodKey}\u00e9`],
      [`X-API-Key: ${'k'.repeat(513)}`],
    ];
    for (const lines of malformed) {
      const reply = await app.raw(lines);
      expect(reply.bytes).toBe(unknown.bytes);
    }
    expect(app.handler).not.toHaveBeenCalled();
  });

  it('every code -> a title and a type of its own', async () => {
    const problems = new Map<string, Readonly<Record<string, unknown>>>();
    for (const { code, options, presented } of rows) {
      const app = await guardedApp(express, { guard: requireApiKey(options) });
      problems.set(
        code,
        problemOf(await app.get(presented === undefined ? {} : { 'X-API-Key': presented })),
      );
    }

    expect(new Set([...problems.values()].map(({ title }) => title)).size).toBe(problems.size);
  });

  it('a refused upload -> answered before any of its body has come', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    const reply = await app.raw(
      ['Content-Type: application/octet-stream', 'Content-Length: 1000000'],
      {
        method: 'POST',
      },
    );

    expectRefused(reply, { status: 401, code: 'missing_api_key' });
  });

  it('a refused upload -> no body parser behind the guard sees it', async () => {
    const parser = vi.fn(express.json());
    const app = await guardedApp(express, { guard: [requireApiKey({ source }), parser] });

    const reply = await app.raw(['Content-Type: application/json', 'Content-Length: 2'], {
      method: 'POST',
      body: '{}',
    });

    expectRefused(reply, { status: 401, code: 'missing_api_key' });
    expect(parser).not.toHaveBeenCalled();
  });

  it('a client that asks for HTML or plain text -> the same problem document', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    expectRefused(await app.get({ Accept: 'text/html' }), { status: 401, code: 'missing_api_key' });
    expectRefused(await app.get({ Accept: 'text/plain' }), {
      status: 401,
      code: 'missing_api_key',
    });
  });

  it('a fault whose message is not meant for clients -> no word of it in the answer', async () => {
    const app = await guardedApp(express, { guard: requireApiKey(failing) });

    const reply = await app.raw([`X-API-Key: ${goodKey}`]);

    expectRefused(reply, { status: 503, code: 'key_source_failed' });
    expect(reply.bytes).not.toContain('the table is gone');
  });

  it('an error that the app changes, as the answer had begun -> the next answer is as ever', async () => {
    const begin: RequestHandler = (req, res, next) => {
      if (req.query['begun'] !== undefined) res.flushHeaders();
      next();
    };
    const guard = [begin, requireApiKey({ source })];
    const app = await guardedApp(express, { guard });

    await app.get({}, '/hello?begun').catch(() => {});
    const { headers } = app.errors[0] as { headers: Record<string, string> };
    headers['X-Request-Id'] = 'the-first';

    const reply = await app.raw([]);
    expectRefused(reply, { status: 401, code: 'missing_api_key' });
    expect(reply.bytes).not.toContain('the-first');
  });

  it('any refusal -> the answer holds no presented key', async () => {
    for (const { options } of rows) {
      const app = await guardedApp(express, { guard: requireApiKey(options) });
      const presented =
        options.scopes === undefined && options.requireHttps === undefined ? otherKey : goodKey;
      const reply = await app.raw([`X-API-Key: ${presented}`]);
      expect(reply.status).toBeGreaterThanOrEqual(401);
      expect(reply.bytes).not.toContain(presented);
    }
  });
});

import { describe, expect, it, vi } from 'vitest';
import { requireApiKey, requireScopes, type RequireApiKeyOptions } from '../../src/index.js';
import { arrive, callGuards, type Lines } from '../support/call-guard.js';

vi.spyOn(console, 'error').mockImplementation(() => {});

const present = { 'X-API-Key': 'key-of-alice' };
const source = (key: string) =>
  key === 'key-of-alice' ? { user: 'alice', scopes: ['a'] } : undefined;

/** Decides on one request; resolves to how. */
async function decideOn(options: RequireApiKeyOptions, lines: Lines = present) {
  const call = arrive(lines);
  const outcome = await callGuards([requireApiKey({ source, ...options })], call);
  return { ...call, outcome, headers: call.res.getHeaders(), status: call.res.statusCode };
}

describe('what a guard lets pass', () => {
  it('a known key -> its identity, an answer that varies with the header and stays private', async () => {
    const { outcome, req, headers } = await decideOn({});
    expect(outcome).toBe('admitted');
    expect(req.apiKey).toMatchObject({ user: 'alice', source: 'custom' });
    expect(headers).toEqual({ vary: 'X-API-Key', 'cache-control': 'private' });
  });

  it('a name and a scheme in other letters than the configured ones -> read', async () => {
    const lines = { 'x-TOKEN': 'bearer key-of-alice' };
    expect(await decideOn({ header: 'X-Token', scheme: 'BEARER' }, lines)).toMatchObject({
      outcome: 'admitted',
    });
  });

  it('an optional key that is missing -> no identity, not even one that somebody else put there', async () => {
    const call = arrive();
    call.req.apiKey = { user: 'mallory' } as never;
    expect(await callGuards([requireApiKey({ source, optional: true })], call)).toBe('admitted');
    expect(call.req.apiKey).toBeUndefined();
    expect(call.res.getHeader('Cache-Control')).toBe('private');
  });

  it('an optional key that is missing, nothing there before -> nothing is put there', async () => {
    const { outcome, req } = await decideOn({ optional: true }, {});
    expect(outcome).toBe('admitted');
    expect('apiKey' in req).toBe(false);
  });

  it('an optional guard behind one that admitted -> the identity stays', async () => {
    const call = arrive(present);
    const optional = requireApiKey({ source, optional: true, header: 'X-Other-Key' });
    expect(await callGuards([requireApiKey({ source }), optional], call)).toBe('admitted');
    expect(call.req.apiKey?.user).toBe('alice');
  });

  it('a header that the guard strips -> gone for the handler; a later guard finds it', async () => {
    const strict = requireApiKey({ source, stripHeader: true });
    const call = arrive(present);
    expect(await callGuards([strict, requireApiKey({ source })], call)).toBe('admitted');
    expect(call.req.headers).toEqual({});
  });

  it('a header that the guard does not strip -> stays', async () => {
    expect((await decideOn({})).req.headers).toEqual({ 'x-api-key': 'key-of-alice' });
  });

  it('HTTPS required and there -> admitted', async () => {
    const call = arrive(present);
    call.req.secure = true;
    expect(await callGuards([requireApiKey({ source, requireHttps: true })], call)).toBe(
      'admitted',
    );
  });
});

describe('what a guard refuses', () => {
  it.each<[string, RequireApiKeyOptions, Lines, string, number]>([
    ['no key', {}, {}, 'missing_api_key', 401],
    [
      'a bad key where it is optional',
      { optional: true },
      { 'X-API-Key': 'a b' },
      'invalid_api_key',
      401,
    ],
    ['an unknown key', {}, { 'X-API-Key': 'other' }, 'invalid_api_key', 401],
    ['plain HTTP', { requireHttps: true }, present, 'https_required', 403],
    ['a scope that is missing', { scopes: ['a', 'b'] }, present, 'insufficient_scope', 403],
    [
      'no key, and no source that holds one',
      { source: { verify: source, configured: () => false }, optional: true },
      {},
      'api_key_not_configured',
      503,
    ],
  ])('%s -> refused, with nobody named', async (_what, options, lines, code, status) => {
    const { outcome, req, headers, ...rest } = await decideOn(options, lines);
    expect(outcome).toBe(code);
    expect(rest.status).toBe(status);
    expect(req.apiKey).toBeUndefined();
    expect(headers).toMatchObject({ vary: 'X-API-Key', 'cache-control': 'no-store' });
  });

  it.each<[RequireApiKeyOptions, Lines, string]>([
    [{}, {}, 'Send an API key in the X-API-Key header.'],
    [{ header: 'X-A', scheme: 'Key' }, {}, 'Send an API key in the X-A header, as "Key <key>".'],
    [{ scopes: ['b', 'c'] }, present, 'The API key is known but lacks a scope it needs here: b c.'],
  ])('%j -> says what to send', async (options, lines, detail) => {
    const decided = await decideOn(options, lines);
    expect(decided.answer()).toMatchObject({ detail });
  });

  it('a refusal -> an error without a stack; a fault -> with one, and its cause', async () => {
    const seen: Error[] = [];
    const onRefused = (error: Error) => void seen.push(error);
    const limit = Error.stackTraceLimit;
    await decideOn({ onRefused }, {});
    const cause = new Error('down');
    await decideOn({ onRefused, source: () => Promise.reject(cause) });
    expect(Error.stackTraceLimit).toBe(limit);
    expect(seen[0]!.stack).not.toMatch(/\n\s+at /);
    expect(seen[1]!.stack).toMatch(/\n\s+at /);
    expect(seen[1]!.cause).toBe(cause);
  });
});

describe('a guard and what does as it likes', () => {
  it('an identity that cannot be set, late -> the error goes to next, whatever was thrown', async () => {
    for (const [thrown, expected] of [
      [new Error('frozen'), new Error('frozen')],
      ['route', expect.objectContaining({ message: 'the guard failed', cause: 'route' })],
    ] as const) {
      const call = arrive(present);
      Object.defineProperty(call.req, 'apiKey', {
        get: () => undefined,
        set: () => {
          throw thrown;
        },
      });
      expect(
        await callGuards([requireApiKey({ source: async (key) => source(key) })], call),
      ).toEqual(expected);
    }
  });

  it('a client that has gone, or an answer that was sent, before a late verdict -> nothing is done', async () => {
    for (const end of [
      (call: ReturnType<typeof arrive>) => call.res.destroy(),
      (call: ReturnType<typeof arrive>) => call.res.end('x'),
    ]) {
      const call = arrive(present);
      let answer = (_user: string) => {};
      const late = () => new Promise<string>((resolve) => (answer = resolve));
      requireApiKey({ source: late })(call.req, call.res, call.next);
      end(call);
      answer('alice');
      await new Promise((resolve) => void setImmediate(resolve));
      expect(call.next).not.toHaveBeenCalled();
      expect(call.req.apiKey).toBeUndefined();
    }
  });

  it.each([
    ['calls next with nothing', (_error: unknown, next: (reason?: unknown) => void) => next()],
    [
      'calls next with a word that routers obey',
      (_error: unknown, next: (reason?: unknown) => void) => next('route'),
    ],
    ['calls next with null', (_error: unknown, next: (reason?: unknown) => void) => next(null)],
    [
      'calls next twice',
      (error: unknown, next: (reason?: unknown) => void) => [next(error), next()],
    ],
    ['rejects with nothing', () => Promise.reject()],
    [
      'throws a word',
      () => {
        throw 'router';
      },
    ],
  ])('onRefused that %s -> next gets the refusal, once', async (_what, onRefused) => {
    const { outcome } = await decideOn(
      { onRefused: (error, _req, _res, next) => onRefused(error, next as never) },
      {},
    );
    expect(outcome).toMatchObject({ code: 'missing_api_key' });
  });

  it('onRefused that throws, rejects or passes on an error of its own -> next gets that', async () => {
    const error = new Error('own');
    for (const onRefused of [
      () => {
        throw error;
      },
      () => Promise.reject(error),
      (_error: unknown, _req: unknown, _res: unknown, next: (reason: unknown) => void) =>
        next(error),
    ] as RequireApiKeyOptions['onRefused'][]) {
      expect((await decideOn({ onRefused }, {})).outcome).toBe(error);
    }
  });

  it('a next that Express keeps on the request, called while a refusal is answered -> the refusal', async () => {
    const onRefused: RequireApiKeyOptions['onRefused'] = (_error, req) => req.next!();
    expect((await decideOn({ onRefused }, {})).outcome).toMatchObject({ code: 'missing_api_key' });
  });
});

describe('requireScopes', () => {
  const guard = requireApiKey({ source });
  const decide = (scopes: string[], options: RequireApiKeyOptions = {}, lines: Lines = present) =>
    callGuards([requireApiKey({ source, ...options }), requireScopes(...scopes)], arrive(lines));

  it('scopes held -> passes; lacking one -> 403; no key -> 401', async () => {
    expect(await decide(['a'])).toBe('admitted');
    expect(await decide(['a', 'b'])).toBe('insufficient_scope');
    expect(await decide(['a'], { optional: true }, {})).toBe('missing_api_key');
  });

  it('no guard before it -> a TypeError for next, even with an identity that somebody put there', async () => {
    const call = arrive(present);
    call.req.apiKey = { user: 'mallory', scopes: ['a'] } as never;
    expect(await callGuards([requireScopes('a')], call)).toEqual(
      new TypeError(
        'requireScopes: no guard stands before this route; mount requireApiKey() first',
      ),
    );
  });

  it('an identity taken away behind the guard -> 401', async () => {
    const call = arrive(present);
    await callGuards([guard], call);
    delete call.req.apiKey;
    expect(await callGuards([requireScopes('a')], call)).toBe('missing_api_key');
  });

  it('no scope, or one of another form -> a TypeError that says so', () => {
    expect(() => requireScopes()).toThrow(new TypeError('requireScopes: name at least one scope'));
    expect(() => requireScopes('a', 'b c')).toThrow(
      /^requireScopes: each argument must be a scope/,
    );
  });
});

import express from 'express';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import { expectTypeOf } from 'vitest';
import { ApiKeyError, apiKeyOf, keyList, requireApiKey, requireScopes } from '../../src/index.js';
import type { ApiKey, KeySource } from '../../src/index.js';

const onError: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (error instanceof ApiKeyError) res.status(error.status).json({ code: error.code });
  else next(error);
};

/** Compiled, never run: `tsc --noEmit` is the test. */
export function express5(): void {
  const app = express();

  app.use(requireApiKey());
  const handler: RequestHandler = requireApiKey();
  const scoped: RequestHandler = requireScopes('audio:write', 'audio:read');
  app.get('/hello', handler, scoped, (req, res) => {
    expectTypeOf(req.apiKey).toEqualTypeOf<ApiKey | undefined>();
    // @ts-expect-error -- an unguarded route may have no identity
    void req.apiKey.user;
    res.send(req.apiKey?.user);
  });

  app.get('/users/:id', requireApiKey(), (req, res) => {
    expectTypeOf(req.params.id).toEqualTypeOf<string>();
    // @ts-expect-error -- the path has no such parameter
    void req.params.name;
    res.end();
  });

  app.get('/users/:id/keys/:key', requireApiKey(), requireScopes('a'), (req, res) => {
    expectTypeOf(req.params.key).toEqualTypeOf<string>();
    expectTypeOf(apiKeyOf(req)).toEqualTypeOf<ApiKey>();
    res.send(apiKeyOf(req).user);
  });

  app.get(
    '/typed',
    requireApiKey(),
    (req: Request<object, { answer: number }, { question: string }>, res) => {
      const { user }: ApiKey = apiKeyOf(req);
      res.end(user + req.body.question);
    },
  );

  express.Router({ mergeParams: true }).use('/inner', requireApiKey({ scopes: ['a'] }));

  requireApiKey({
    source: async (key, req) => {
      const presented: string = key;
      const url: string | undefined = req.url;
      return Promise.resolve(presented === url ? { user: 'alice', scopes: ['a'] } : undefined);
    },
    onRefused: (error, _req, _res, next) => {
      expectTypeOf(error.status).toEqualTypeOf<ApiKeyError['status']>();
      next(error);
    },
  });

  app.use(onError);
}

export function sources(): void {
  requireApiKey({ source: () => 'alice' });
  requireApiKey({ source: () => true });
  requireApiKey({ source: () => null });
  requireApiKey({
    source: (key) => (key === 'a' ? { user: 'alice', metadata: { team: 'audio' } } : false),
  });
  requireApiKey({
    source: async () => Promise.resolve({ ok: false, code: 'revoked_api_key' } as const),
  });
  requireApiKey({ source: { name: 'table', verify: () => undefined, configured: () => true } });
  requireApiKey({ source: [keyList({ alice: 'a' }), () => undefined] });
  const source: KeySource = keyList({ alice: ['new', 'old'] });
  requireApiKey({ source, scopes: ['a'] as const });

  // @ts-expect-error -- a number is no answer
  requireApiKey({ source: () => 42 });
  // @ts-expect-error -- a promise of a number is none either
  requireApiKey({ source: async () => Promise.resolve(42) });
  // @ts-expect-error -- an identity needs a user
  requireApiKey({ source: () => ({ scopes: ['a'] }) });
  // @ts-expect-error -- scopes are a list
  requireApiKey({ source: () => ({ user: 'alice', scopes: 'a' }) });
  // @ts-expect-error -- only a source's own codes
  requireApiKey({ source: () => ({ ok: false, code: 'insufficient_scope' }) });
  // @ts-expect-error -- a key is no source
  requireApiKey({ source: 'a key' });
}

export function wrongOptions(): void {
  // @ts-expect-error -- unknown option
  requireApiKey({ headers: 'X-API-Key' });
  // @ts-expect-error -- wrong type
  requireApiKey({ header: 42 });
  // @ts-expect-error -- wrong type
  requireApiKey({ scheme: true });
  // @ts-expect-error -- one scope is a list of one
  requireApiKey({ scopes: 'audio:write' });
  // @ts-expect-error -- wrong type
  requireApiKey({ optional: 'false' });
  // @ts-expect-error -- wrong type
  requireApiKey({ requireHttps: 1 });
  // @ts-expect-error -- null is not absent
  requireApiKey({ stripHeader: null });
  // @ts-expect-error -- wrong type
  requireApiKey({ realm: ['api'] });
  // @ts-expect-error -- wrong type
  requireApiKey({ timeoutMs: '5000' });
  // @ts-expect-error -- wrong type
  requireApiKey({ onRefused: 'next' });
  // @ts-expect-error -- not the options
  requireApiKey('a key');
  // @ts-expect-error -- a scope is a string
  requireScopes(42);
}

export function identities(apiKey: ApiKey): void {
  expectTypeOf(apiKey.user).toEqualTypeOf<string>();
  expectTypeOf(apiKey.keyId).toEqualTypeOf<string>();
  expectTypeOf(apiKey.source).toEqualTypeOf<string>();
  // @ts-expect-error -- frozen
  apiKey.user = 'mallory';
  // @ts-expect-error -- frozen
  apiKey.scopes.push('admin');
}

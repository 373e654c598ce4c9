import express from 'express4';
import { expectTypeOf } from 'vitest';
import { apiKeyOf, requireApiKey, requireScopes } from '../../src/index.js';
import type { ApiKey } from '../../src/index.js';

/** Compiled, never run: `tsc --noEmit` is the test. */
export function express4(): void {
  const app = express();

  app.use(requireApiKey());
  app.use('/audio', requireApiKey({ scopes: ['audio:read'] }), requireScopes('audio:write'));
  const handler: express.RequestHandler = requireApiKey();
  app.get('/hello', handler, (req, res) => {
    expectTypeOf(req.apiKey).toEqualTypeOf<ApiKey | undefined>();
    // @ts-expect-error -- an unguarded route may have no identity
    void req.apiKey.user;
    res.send(apiKeyOf(req).user);
  });

  app.get('/users/:id', requireApiKey(), requireScopes('a'), (req, res) => {
    expectTypeOf(req.params.id).toEqualTypeOf<string>();
    // @ts-expect-error -- the path has no such parameter
    void req.params.name;
    res.send(apiKeyOf(req).user);
  });

  express.Router().use(
    requireApiKey({
      onRefused: (error, _req, _res, next) => {
        next(error);
      },
    }),
  );
}

import { Router } from 'express';
import type { ApiKeyManager } from 'require-api-key';
import { accountKeys } from 'require-api-key/web';
import { demoLogin } from './demo-login.js';

/** The page on which users manage their own keys, at `/account/keys`, and its login. */
export function accountPage(keys: ApiKeyManager, secret: string, scopes: string[]): Router {
  const { routes, userOf } = demoLogin(secret, '/account/keys');
  const router = Router();
  router.use('/login', routes);
  router.use(
    '/account/keys',
    accountKeys({
      keys,
      userOf,
      scopesFor: () => scopes,
      loginUrl: '/login',
      apiName: 'Audio API',
      exampleUrl: '/hello',
    }),
  );
  return router;
}

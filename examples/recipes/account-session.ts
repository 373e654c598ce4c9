/*
 * Your users' own keys, behind express-session: who is logged in makes, rotates and revokes keys on
 * a page of the library.
 *
 *   app.use(
 *     session({
 *       secret,
 *       resave: false,
 *       saveUninitialized: false,
 *       cookie: { sameSite: 'lax', secure: true },
 *     }),
 *   );
 *   app.use('/account/keys', accountBySession(keys, { scopesFor: () => ['audio:read'] }));
 *
 * Your login sets `req.session.user`, after `req.session.regenerate()`. A key never opens the page:
 * mount it in front of an app-wide `requireApiKey()`.
 */
import 'express-session';
import type { RequestHandler } from 'express';
import { accountKeys, type AccountKeysOptions } from 'require-api-key/web';

declare module 'express-session' {
  interface SessionData {
    user: string;
  }
}

export function accountBySession(
  keys: AccountKeysOptions['keys'],
  options: Omit<AccountKeysOptions, 'keys' | 'userOf'> = {},
): RequestHandler {
  return accountKeys({
    loginUrl: '/login',
    ...options,
    keys,
    userOf: (req) => req.session.user,
  });
}

/*
 * Your users' own keys, behind passport: who is logged in makes, rotates and revokes keys on a page
 * of the library.
 *
 *   app.use('/account/keys', accountByPassport(keys, { scopesFor: () => ['audio:read'] }));
 *
 * Before it stand `app.use(session({ ... }))` and `logins`, as in passport.ts. `logins` looks the
 * user up on every request, so who has been dismissed is out at once. Their keys work on until you
 * revoke them: `keys.revokeAll({ user })`.
 */
import 'passport';
import type { RequestHandler } from 'express';
import { accountKeys, type AccountKeysOptions } from 'require-api-key/web';

declare global {
  namespace Express {
    interface User {
      name: string;
    }
  }
}

export function accountByPassport(
  keys: AccountKeysOptions['keys'],
  options: Omit<AccountKeysOptions, 'keys' | 'userOf'> = {},
): RequestHandler {
  return accountKeys({
    loginUrl: '/login',
    ...options,
    keys,
    userOf: (req) => (req.isAuthenticated() ? req.user.name : undefined),
  });
}

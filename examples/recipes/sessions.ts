/*
 * Sessions beside keys: people log in and have a cookie, programs send a key, and one route serves
 * both.
 *
 *   app.use(
 *     session({
 *       secret,
 *       resave: false,
 *       saveUninitialized: false,
 *       cookie: { sameSite: 'lax', secure: true },
 *     }),
 *   );
 *   app.get('/uploads', requireKeyOrSession(keys), (req, res) => {
 *     res.json({ user: callerOf(req) });
 *   });
 *
 * Your login sets `req.session.user`, after `req.session.regenerate()`; for passport see
 * passport.ts. A key that is sent decides: a bad one is refused, whoever is logged in. Browsers
 * send cookies along with what the page of any site makes them ask for (CSRF), keys they do not:
 * where a session may change something, let it count only from pages of your own, as passport.ts
 * does.
 */
import type { Request, RequestHandler } from 'express';
import { requireApiKey, type RequireApiKeyOptions } from 'require-api-key';
import 'express-session';

declare module 'express-session' {
  interface SessionData {
    user: string;
  }
}

export function requireKeyOrSession(
  source: NonNullable<RequireApiKeyOptions['source']>,
): RequestHandler {
  const guard = requireApiKey({ source });
  return (req, res, next) => {
    if (req.session.user && !req.get('X-API-Key')) next();
    else guard(req, res, next);
  };
}

/** Who calls, by key or by session. */
export const callerOf = (req: Request): string | undefined => req.apiKey?.user ?? req.session.user;

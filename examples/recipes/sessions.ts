/*
 * Sessions beside keys: people log in and have a cookie, programs send a key, and one route serves both.
 *
 *   app.use(session({ ..., cookie: { sameSite: 'lax', secure: true } }));
 *   app.get('/uploads', requireKeyOrSession(keys), (req, res) => res.json(listUploads(callerOf(req))));
 *
 * With passport it is `req.user` instead of `req.session.user`. A key that is sent decides: a bad one is refused, whoever is
 * logged in. Cookies are sent by browsers on their own, keys are not: routes that change something need protection from
 * cross-site requests for their sessions.
 */
import type { Request, RequestHandler } from 'express';
import { requireApiKey, type RequireApiKeyOptions } from 'require-api-key';
import 'express-session';

declare module 'express-session' {
  interface SessionData {
    user: string;
  }
}

export function requireKeyOrSession(source: RequireApiKeyOptions['source']): RequestHandler {
  const guard = requireApiKey({ source });
  return (req, res, next) => {
    if (req.session.user && !req.get('X-API-Key')) next();
    else guard(req, res, next);
  };
}

/** Who calls, by key or by session. */
export const callerOf = (req: Request): string | undefined => req.apiKey?.user ?? req.session.user;

/*
 * Passport beside keys: people log in with a password, programs send a key, and one route serves
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
 *   app.use(express.json(), logins({ checkPassword, findUser }));
 *   app.get('/uploads', requireKeyOrLogin(keys), (req, res) => res.json({ user: callerOf(req) }));
 *
 * Either one admits, and without both the answer is that for a missing key: 401 with a challenge. A
 * key that is sent decides: a bad one is refused, whoever is logged in. Put `limitFailedAttempts()`
 * of rate-limits.ts in front of both.
 *
 * Browsers send cookies along with what the page of any site makes them ask for (CSRF); a key they
 * do not send. So a login counts for requests that change something only where the browser says
 * that they come from a page of this very origin, and never for a program that has got hold of a
 * cookie alone. Keep your GET routes free of effects.
 */
import { Router, type Request, type RequestHandler } from 'express';
import passport from 'passport';
import { Strategy } from 'passport-local';
import { requireApiKey, type RequireApiKeyOptions } from 'require-api-key';

declare global {
  namespace Express {
    interface User {
      name: string;
    }
  }
}

export interface People {
  /** Resolves to the user where the password is right. */
  checkPassword(name: string, password: string): Promise<Express.User | undefined>;
  /** Asked on every request with a session, so that who has been dismissed is out at once. */
  findUser(name: string): Promise<Express.User | undefined>;
}

/**
 * `POST /login` with `username` and `password`, `POST /logout`, and `req.user` for what stands
 * behind; needs a session.
 */
export function logins(people: People): Router {
  const authenticator = new passport.Passport();
  authenticator.use(
    new Strategy((name, password, done) => {
      people.checkPassword(name, password).then((user) => done(null, user ?? false), done);
    }),
  );
  authenticator.serializeUser((user, done) => done(null, user.name));
  authenticator.deserializeUser<string>((name, done) => {
    people.findUser(name).then((user) => done(null, user ?? false), done);
  });

  const router = Router();
  router.use(authenticator.session());
  router.post('/login', refuseOtherSites, authenticator.authenticate('local'), (_req, res) => {
    res.sendStatus(204);
  });
  router.post('/logout', refuseOtherSites, (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.sendStatus(204)));
  });
  return router;
}

export function requireKeyOrLogin(
  source: NonNullable<RequireApiKeyOptions['source']>,
): RequestHandler {
  const guard = requireApiKey({ source });
  return (req, res, next) => {
    const loggedIn = req.isAuthenticated() && (isReading(req) || isFromOwnPage(req));
    if (loggedIn && !req.get('X-API-Key')) next();
    else guard(req, res, next);
  };
}

/** Who calls, by key or by login. */
export const callerOf = (req: Request): string | undefined => req.apiKey?.user ?? req.user?.name;

const isReading = (req: Request) => req.method === 'GET' || req.method === 'HEAD';

// Set by browsers, and by them alone: no page can write it.
const isFromOwnPage = (req: Request) => req.get('Sec-Fetch-Site') === 'same-origin';

const refuseOtherSites: RequestHandler = (req, res, next) => {
  if (isFromOwnPage(req)) next();
  else res.status(403).json({ error: 'Only from a page of this site' });
};

/*
 * Your users' own keys: whoever is logged in makes, lists, replaces and revokes keys, and no one else's.
 *
 *   app.use('/account/keys', ownKeys(keys, { userOf: (req) => req.session.user, scopes: ['audio:read'] }));
 *
 * - GET /account/keys: their keys, with the last uses
 * - POST /account/keys with { "name": "laptop" }: { key, record }; the key is shown this once
 * - POST /account/keys/:keyId/rotate with {}: { key, record }; the old key works on for a day
 * - DELETE /account/keys/:keyId with {}: revoked at once
 *
 * `keys` is an ApiKeyManager, `userOf` says who is logged in, and `scopes` is what each key may do: users do not choose it. What changes
 * something needs a body of type application/json, which a page of another site cannot send along with your user's cookie.
 */
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { KeyStoreError, type ApiKeyManager, type KeyRecord } from 'require-api-key';

export interface OwnKeysOptions {
  userOf: (req: Request) => string | undefined;
  scopes?: readonly string[];
  /** How many usable keys one user may have. Default 10. */
  maxKeys?: number;
}

export function ownKeys(
  keys: ApiKeyManager,
  { userOf, scopes = [], maxKeys = 10 }: OwnKeysOptions,
): Router {
  const router = express.Router();
  router.use(express.json(), (req, res, next) => {
    res.set('Cache-Control', 'no-store');
    if (userOf(req) === undefined) res.status(401).json({ error: 'log in first' });
    else if (req.method !== 'GET' && !req.is('application/json'))
      res.status(415).json({ error: 'send JSON' });
    else next();
  });

  /** With the user, and for Express 4, which does not wait for promises. */
  const answer =
    (handle: (user: string, req: Request, res: Response) => Promise<unknown>): RequestHandler =>
    (req, res, next) => {
      handle(userOf(req) ?? '', req, res).catch((error: unknown) => {
        // Rotated twice, or rotated when it was revoked or expired.
        if (error instanceof KeyStoreError) res.status(409).json({ error: error.message });
        else next(error);
      });
    };

  /** The named key, if it is this user's: a key of somebody else's is answered as one that does not exist. */
  const findOwn = async (
    user: string,
    req: Request,
    res: Response,
  ): Promise<KeyRecord | undefined> => {
    const record = await keys.get(String(req.params['keyId']));
    if (record?.user === user) return record;
    res.status(404).json({ error: 'no such key' });
    return undefined;
  };

  router.get(
    '/',
    answer(async (user, _req, res) => res.json(await keys.list({ user }))),
  );

  router.post(
    '/',
    answer(async (user, req, res) => {
      const { name } = (req.body ?? {}) as { name?: unknown };
      if (typeof name !== 'string' || !/^\S.{0,99}$/.test(name))
        return res.status(400).json({ error: 'name the key, in at most 100 characters' });
      const usable = await keys.list({ user, status: 'active', limit: maxKeys });
      if (usable.length >= maxKeys)
        return res.status(409).json({ error: `revoke one of your ${maxKeys} keys first` });
      return res.status(201).json(await keys.create({ user, name, scopes }));
    }),
  );

  router.post(
    '/:keyId/rotate',
    answer(async (user, req, res) => {
      const own = await findOwn(user, req, res);
      if (!own) return;
      const { key, record } = await keys.rotate(own.keyId);
      res.status(201).json({ key, record });
    }),
  );

  router.delete(
    '/:keyId',
    answer(async (user, req, res) => {
      const own = await findOwn(user, req, res);
      if (own) res.json(await keys.revoke(own.keyId));
    }),
  );

  return router;
}

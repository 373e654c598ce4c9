import type { Request } from 'express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  assertArgument,
  checkOptions,
  mustBeBoolean,
  mustBeName,
  mustBeScopes,
  type Check,
} from '../lib/options.js';
import type { ApiKeyManager } from '../manager/api-key-manager.js';
import { requireApiKey, type ApiKeyHandler } from '../require-api-key.js';
import { deskApi, type DeskApiOptions } from './desk-api.js';
import { WebProblem } from './http/problem.js';
import { pathOf, runMethod } from './http/route.js';
import { setSecurityHeaders } from './http/security-headers.js';
import { mustBeAddress } from './must-be-address.js';
import { mustBeManager } from './must-be-manager.js';
import { pageRoutes } from './page.js';

/** Whose keys a desk keeps, and what its forms offer. */
export interface KeyDeskOptions {
  /** The manager whose keys are kept here; it also says who may: holders of a key with the scope `keys:manage`. */
  keys: ApiKeyManager;
  /** Where the claim page is, absolute or from the desk's host: `/claim`. Without it the desk makes no claim links. */
  claimUrl?: string | undefined;
  /** What the desk is for, in its heading. Default: the host of the page. */
  apiName?: string | undefined;
  /** Scopes that the form for new keys offers; others can be typed. Default `[]`. */
  knownScopes?: readonly string[] | undefined;
  /** Refuses the operator's key over plain HTTP, as `requireApiKey` does. Default `false`. */
  requireHttps?: boolean | undefined;
}

const mustBeClaimUrl: Check = (value) =>
  mustBeAddress(value) ?? (String(value).includes('#') ? 'an address without "#"' : undefined);

/**
 * A page and a JSON API for operators, as middleware: `app.use('/keys', keyDesk({ keys }))`. The page holds no data. Its API is
 * always behind `requireApiKey({ source: keys, scopes: ['keys:manage'] })`; there is no option that opens it. Whoever holds such a
 * key can give out any scope, `keys:manage` included.
 *
 * @throws {TypeError} for an unknown or wrong option, `keys` that are no `ApiKeyManager` above all.
 */
export function keyDesk(options: KeyDeskOptions): ApiKeyHandler {
  const checked = checkOptions<KeyDeskOptions>('keyDesk', options, {
    keys: mustBeManager,
    claimUrl: mustBeClaimUrl,
    apiName: mustBeName,
    knownScopes: mustBeScopes,
    requireHttps: mustBeBoolean,
  });
  const { keys, claimUrl, apiName, knownScopes = [], requireHttps = false } = checked;
  assertArgument('keyDesk', '"keys"', keys, mustBeManager);
  if (claimUrl !== undefined && !keys.keepsClaims)
    throw new TypeError('keyDesk: "claimUrl" is given, and the store of "keys" keeps no claim links');

  const guard = requireApiKey({
    source: keys,
    scopes: ['keys:manage'],
    realm: 'key desk',
    requireHttps,
    stripHeader: true,
  });
  const page = pageRoutes('desk.html', [
    'base.css',
    'desk.css',
    'desk-lists.css',
    'page.js',
    'desk.js',
    'desk-client.js',
    'desk-dialogs.js',
    'desk-forms.js',
    'desk-keys.js',
    'desk-links.js',
    'icon.svg',
  ]);
  const apiOptions: DeskApiOptions = { keys, claimUrl, apiName, knownScopes: [...knownScopes] };
  return function keyDeskHandler(req, res, next) {
    const path = pathOf(req);
    if (path.startsWith('/api/')) {
      setSecurityHeaders(res);
      guard(req, res, (error) => {
        if (error === undefined) answerApi(path.slice('/api'.length), apiOptions, req as Request, res);
        else next(error);
      });
      return;
    }
    const methods = page.get(path);
    if (!methods) {
      next();
      return;
    }
    setSecurityHeaders(res);
    void runMethod(methods, req, res);
  };
}

function answerApi(path: string, options: DeskApiOptions, req: Request, res: ServerResponse): void {
  const methods = deskApi(path, options) ?? { GET: notFound, POST: notFound };
  void runMethod(methods, req, res);
}

const notFound = (_req: IncomingMessage) => {
  throw new WebProblem('not_found');
};

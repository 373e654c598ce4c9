import type { Request, Response } from 'express';
import { guardOf, hasOtherGuard } from './guard.js';
import { assertArgument, mustBeScope } from '../lib/options.js';
import type { ApiKeyHandler } from './require-api-key.js';

/**
 * Makes middleware for one route behind an app-wide `requireApiKey()`: the key needs every one of these scopes, else that guard
 * answers 403 `insufficient_scope`, or 401 `missing_api_key` where it is `optional` and let the request pass without a key.
 * Without a guard before it the request fails with a `TypeError`, which goes to the app's error handler.
 *
 * @throws {TypeError} where no scope is given, or one has blanks, quotes or backslashes (RFC 6749, section 3.3).
 */
export function requireScopes(...scopes: string[]): ApiKeyHandler {
  if (scopes.length === 0) throw new TypeError('requireScopes: name at least one scope');
  for (const scope of scopes) assertArgument('requireScopes', 'each argument', scope, mustBeScope);

  return function requireScopesHandler(req, res, next) {
    const guard = guardOf(req);
    if (!guard) {
      next(
        new TypeError(
          hasOtherGuard(req)
            ? 'requireScopes: the guard before this route comes from another version of require-api-key; ' +
                'install one version ("npm ls require-api-key" lists them)'
            : 'requireScopes: no guard stands before this route; mount requireApiKey() first',
        ),
      );
      return;
    }
    guard.handleScopes(scopes, req as Request, res as Response, next);
  };
}

import type { Request, Response } from 'express';
import { guardOf, hasOtherGuard, type ScopeDemand } from './guard.js';
import { assertArgument, describe, isScopes, mustBeScope } from '../lib/options.js';
import { isThenable } from '../lib/values.js';
import type { ApiKeyHandler } from './require-api-key.js';

/**
 * Says which scopes a request needs: a non-empty array, at once. Throwing, a promise, an empty array
 * or anything else is a fault, answered 503 `key_source_failed`.
 */
export type ScopesFor = (req: Request) => readonly string[];

/** `requireScopes` and its other form. */
export interface RequireScopes {
  /** The key needs every one of these scopes. */
  (...scopes: string[]): ApiKeyHandler;
  /** The key needs every scope that the function returns, such as `project:` and a parameter. */
  (scopesFor: ScopesFor): ApiKeyHandler;
  /** The same, but one of the scopes is enough. */
  any(this: void, ...scopes: string[]): ApiKeyHandler;
  /** The same, but one of the scopes that the function returns is enough. */
  any(this: void, scopesFor: ScopesFor): ApiKeyHandler;
}

/**
 * Makes middleware for one route behind an app-wide `requireApiKey()`. The key needs every one of
 * these scopes, or with `requireScopes.any` one of them; else that guard answers 403
 * `insufficient_scope`. If it is `optional` and the request has no key, it answers 401
 * `missing_api_key`. Instead of scopes, give a function that returns them for a request. Without a
 * guard before it the request fails with a `TypeError`, which goes to the app's error handler.
 *
 * @throws {TypeError} if no scope is given, or one has blanks, quotes or backslashes (RFC 6749,
 * section 3.3).
 */
export const requireScopes: RequireScopes = Object.assign(
  (...scopes: (string | ScopesFor)[]) => demand('requireScopes', false, scopes),
  {
    any: (...scopes: (string | ScopesFor)[]) => demand('requireScopes.any', true, scopes),
  },
);

function demand(
  caller: string,
  anyIsEnough: boolean,
  given: readonly (string | ScopesFor)[],
): ApiKeyHandler {
  const scopesFor = scopesOf(caller, given);
  return function requireScopesHandler(req, res, next) {
    const guard = guardOf(req);
    if (guard)
      guard.handleScopes({ anyIsEnough, scopesFor }, req as Request, res as Response, next);
    else next(new TypeError(`requireScopes: ${whyNoGuard(hasOtherGuard(req))}`));
  };
}

function scopesOf(
  caller: string,
  given: readonly (string | ScopesFor)[],
): ScopeDemand['scopesFor'] {
  const [first] = given;
  if (first === undefined && given.length === 0)
    throw new TypeError(`${caller}: name at least one scope`);
  if (typeof first === 'function' && given.length === 1)
    return (req) => checked(caller, first(req));
  for (const scope of given) assertArgument(caller, 'each argument', scope, mustBeScope);
  const scopes = given as readonly string[];
  return () => scopes;
}

/** @throws {TypeError} for anything but scopes: an empty array would let everybody in. */
function checked(caller: string, scopes: unknown): readonly string[] {
  // Nobody waits for it, so nobody else would take its rejection.
  if (isThenable(scopes)) Promise.resolve(scopes).catch(() => {});
  // Copied: what a getter or a proxy says the second time was not checked.
  const copy: unknown = Array.isArray(scopes) ? [...scopes] : scopes;
  if (isScopes(copy) && copy.length > 0) return copy;
  const problem = Array.isArray(copy) && copy.length > 0 ? ' that are not all scopes' : '';
  throw new TypeError(`${caller}: the function returned ${describe(scopes)}${problem}`);
}

const whyNoGuard = (isOtherVersion: boolean) =>
  isOtherVersion
    ? 'the guard before this route comes from another version of require-api-key; ' +
      'install one version ("npm ls require-api-key" lists them)'
    : 'no guard stands before this route; mount requireApiKey() first';

import type { Request, Response } from 'express';
import { hasAnyScope, hasScopes } from '../keys/admission.js';
import { channels } from '../keys/diagnostics.js';
import { guardOf, hasOtherGuard, lacksScope, type Guard, type RequestContext } from './guard.js';
import { failed } from './source-list.js';
import { assertArgument, describe, isScopes, mustBeScope } from '../lib/options.js';
import { isThenable } from '../lib/values.js';
import type { ApiKeyHandler } from './require-api-key.js';

/**
 * Returns the scopes that a request needs: a non-empty array, synchronously. Throwing, a promise,
 * an empty array or anything else is a fault, answered 503 `key_source_failed`.
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
 * these scopes, or with `requireScopes.any` one of them. Instead of scopes, give a function that
 * returns them for a request.
 *
 * If the key lacks them, the guard answers 403 `insufficient_scope`. If the guard is `optional`
 * and the request has no key, it answers 401 `missing_api_key`. Without a guard before it, the
 * request fails with a `TypeError` in the app's error handler.
 *
 * @throws {TypeError} if no scope is given, or one has blanks, quotes or backslashes (RFC 6749,
 *   section 3.3).
 */
export const requireScopes: RequireScopes = /* @__PURE__ */ Object.assign(
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
    if (!guard) {
      next(new TypeError(`requireScopes: ${whyNoGuard(hasOtherGuard(req))}`));
      return;
    }
    const context: RequestContext = {
      req: req as Request,
      res: res as Response,
      next,
      startedAt: channels.refused.hasSubscribers ? performance.now() : undefined,
      presentedKey: undefined,
    };
    decide(guard, context, scopesFor, anyIsEnough);
  };
}

/** Lets the request pass, or makes the guard before it refuse it. */
function decide(
  guard: Guard,
  context: RequestContext,
  scopesFor: ScopesFor,
  anyIsEnough: boolean,
): void {
  const { req, next } = context;
  const { apiKey } = req;
  if (!apiKey) {
    guard.refuse({ code: 'missing_api_key', reason: 'header_absent' }, context);
    return;
  }
  let scopes: readonly string[];
  try {
    scopes = scopesFor(req);
  } catch (cause) {
    guard.refuse(failed('source_threw', cause, req, 'requireScopes'), context);
    return;
  }
  if (anyIsEnough ? hasAnyScope(apiKey, scopes) : hasScopes(apiKey, scopes)) next();
  else guard.refuse(lacksScope(apiKey), context, { scopes, anyIsEnough });
}

function scopesOf(caller: string, given: readonly (string | ScopesFor)[]): ScopesFor {
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
  // Nobody waits for it, so nobody else would handle its rejection.
  if (isThenable(scopes)) Promise.resolve(scopes).catch(() => {});
  // Copied: a getter or a proxy could return another value the second time, which was not checked.
  const copy: unknown = Array.isArray(scopes) ? [...scopes] : scopes;
  if (isScopes(copy) && copy.length > 0) return copy;
  const problem = Array.isArray(copy) && copy.length > 0 ? ', not all of them scopes' : '';
  throw new TypeError(`${caller}: the function returned ${describe(scopes)}${problem}`);
}

const whyNoGuard = (isOtherVersion: boolean) =>
  isOtherVersion
    ? 'the guard before this route comes from another version of require-api-key; ' +
      'install one version ("npm ls require-api-key" lists them)'
    : 'no guard stands before this route; mount requireApiKey() first';

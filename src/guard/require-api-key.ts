import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, Response } from 'express';
import { SourceList } from './source-list.js';
import { Guard } from './guard.js';
import type { OnRefused } from './run-on-refused.js';
import type { KeySource, VerifyKey } from '../keys/key-source.js';
import { describeAllChallenges } from '../http/challenge.js';
import { keyHeaders, mustBeHeaders, type HeadersOption } from '../http/key-headers.js';
import * as check from '../lib/options.js';
import { respondWithProblem } from './respond-with-problem.js';
import { envKeyList } from '../sources/env-key-list.js';
import { envKey } from '../sources/env-key.js';

/** Where a guard finds the presented key, what checks it, and how a refusal is answered. */
export interface RequireApiKeyOptions {
  /**
   * What checks presented keys: a source, a function, or several, asked in order; the first that knows the key decides. At
   * least one; `undefined` throws. Default `[envKey('INTERNAL_API_KEY'), envKeyList('API_KEYS')]`.
   */
  source?: KeySource | VerifyKey | readonly (KeySource | VerifyKey)[];
  /**
   * The header that carries the key: a name, `{ name, scheme? }`, or an array of these, each name
   * once. Its case does not matter (RFC 9110, section 5.1); not `Cookie` or `Set-Cookie`. Exactly
   * one of several headers may hold a key: two that do, or two lines of one header, are refused as
   * `invalid_api_key`. Blank is the same as absent. Default `X-API-Key`.
   */
  header?: HeadersOption | undefined;
  /**
   * The word before the key, as in `header: 'Authorization', scheme: 'Bearer'`. Its case does not
   * matter (RFC 9110, section 11.1). A header with another scheme, or with none, counts as no key.
   * Only beside a header given by its name; others have a scheme of their own. Default none.
   */
  scheme?: string | undefined;
  /**
   * Scopes of which the key needs every one, compared exactly, else 403 `insufficient_scope`. Each is printable ASCII without
   * blanks, quotes and backslashes (RFC 6749, section 3.3); `undefined` throws. Default `[]`.
   */
  scopes?: readonly string[];
  /**
   * Lets a request without a key through, without `req.apiKey`. A bad key is still refused, and so is a request without one while the
   * configuration is at fault (`api_key_not_configured`). Default `false`.
   */
  optional?: boolean | undefined;
  /**
   * Refuses plain HTTP with 403 `https_required`, the same for good and bad keys and never with a redirect. Trusts `req.secure`
   * alone, so behind a proxy Express's `trust proxy` has to be set. Default `false`.
   */
  requireHttps?: boolean | undefined;
  /**
   * Takes the headers out of the request before a later handler or logger sees them; one with a
   * scheme only if it holds that scheme. A later guard on the same request still finds the key.
   * Default `false`.
   */
  stripHeader?: boolean | undefined;
  /** The protection space that the challenge names (RFC 9110, section 11.5): printable ASCII, escaped. Default `api`. */
  realm?: string | undefined;
  /**
   * How long all sources together may take, in milliseconds, an integer from 1 to 60 000; slower is a fault, answered 503
   * `key_source_failed`. Default 5 000.
   */
  timeoutMs?: number | undefined;
  /**
   * Answers a refusal, or hands it to the app's error handler: `(error, req, res, next) => next(error)`. No refusal ever reaches
   * the guarded handler, whatever this does. Default `respondWithProblem`.
   */
  onRefused?: OnRefused | undefined;
}

/** Middleware for Express 4 and 5, as this library makes it: nothing of Express's own types is needed to call it. */
export type ApiKeyHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Makes the guard, middleware that lets a request through only with a known key that is neither expired nor revoked and has every
 * scope that is needed, and that says on `req.apiKey` whose it is. Whatever else happens, an unset variable, a failing or slow
 * source, a strange answer, is refused.
 *
 * Without options, as in `app.get('/hello', requireApiKey(), hello)`, it reads the header `X-API-Key`, and knows the key in the
 * variable `INTERNAL_API_KEY` and the `user:key` pairs in `API_KEYS`. A presented key is 1 to 512 characters of visible ASCII without a comma; anything else is `invalid_api_key`.
 *
 * A refused request is answered by `onRefused`, as `application/problem+json` unless you say otherwise. An admitted one is answered
 * with `Vary` for the header, and with `Cache-Control: private` unless the handler sets its own. With several guards on one request
 * the identity is that of the last one that found a key. A CORS preflight carries no key and is refused: mount `cors()` before the
 * guard.
 *
 * @throws {TypeError} for an unknown or wrong option, naming it and never printing its value, and where it is itself passed as
 * middleware: `app.use(requireApiKey)`. Express does that call with the first request.
 */
export function requireApiKey(options?: RequireApiKeyOptions): ApiKeyHandler {
  // oxlint-disable-next-line prefer-rest-params
  if (arguments.length > 1)
    throw new TypeError('requireApiKey: call it where you mount it: app.use(requireApiKey())');
  const {
    source = [envKey('INTERNAL_API_KEY'), envKeyList('API_KEYS')],
    header,
    scheme,
    scopes = [],
    optional = false,
    requireHttps = false,
    stripHeader: stripsHeader = false,
    realm = 'api',
    timeoutMs = 5_000,
    onRefused = respondWithProblem,
  } = checkOptions(options);

  const headers = keyHeaders('requireApiKey', header, scheme);
  const guard = new Guard({
    sources: new SourceList([source].flat(), timeoutMs),
    headers,
    scopes: [...scopes],
    optional,
    requireHttps,
    stripsHeader,
    challenges: describeAllChallenges(realm, headers),
    onRefused,
  });
  return function requireApiKeyHandler(req, res, next) {
    guard.handle(req as Request, res as Response, next);
  };
}

const mustBeSource: check.Check = (value) => {
  if (typeof value === 'function')
    return isClass(value) ? 'a key source: make one with "new"' : undefined;
  if (typeof value !== 'object' || value === null) return sourceForms;
  if ('findByDigest' in value) return 'a key source: write new ApiKeyManager({ store })';
  return isSourceObject(value) ? undefined : sourceForms;
};

const sourceForms =
  'a key source: a function, an object with a "verify" method, or an array of these';

/** Every call of it would throw, and so every request be answered 503. */
const isClass = (value: object) => /^class\b/.test(Function.prototype.toString.call(value));

function isSourceObject(value: object): boolean {
  const { verify, name, configured, misconfigured } = value as Partial<KeySource>;
  return (
    typeof verify === 'function' &&
    (name === undefined || check.isName(name)) &&
    [configured, misconfigured].every((each) => each === undefined || typeof each === 'function')
  );
}

const mustBeSources: check.Check = (value) => {
  if (!Array.isArray(value)) return mustBeSource(value);
  return value.length > 0 && Array.from(value).every((each) => mustBeSource(each) === undefined)
    ? undefined
    : 'a key source or a non-empty array of key sources';
};

function checkOptions(options: RequireApiKeyOptions | undefined): RequireApiKeyOptions {
  if (mustBeSource(options) === undefined)
    throw new TypeError(
      'requireApiKey: a key source is an option: write requireApiKey({ source })',
    );
  return check.checkOptions<RequireApiKeyOptions>(
    'requireApiKey',
    options,
    {
      source: mustBeSources,
      header: mustBeHeaders,
      scheme: check.mustBeToken,
      scopes: check.mustBeScopes,
      optional: check.mustBeBoolean,
      requireHttps: check.mustBeBoolean,
      stripHeader: check.mustBeBoolean,
      realm: check.mustBeQuotable,
      timeoutMs: check.mustBeInteger(1, 60_000),
      onRefused: check.mustBeFunction,
    },
    ['source', 'scopes'],
  );
}

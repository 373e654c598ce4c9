import type { IncomingMessage, ServerResponse } from 'node:http';
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

/** Where a guard reads the presented key, what checks it, and how a refusal is answered. */
export interface RequireApiKeyOptions {
  /**
   * What checks presented keys: a source, a function, or several of them. They are asked in
   * order, and the first that knows the key decides. At least one. `undefined` throws. Default
   * `[envKey('INTERNAL_API_KEY'), envKeyList('API_KEYS')]`.
   */
  source?: KeySource | VerifyKey | readonly (KeySource | VerifyKey)[];
  /**
   * The header that carries the key: a name, `{ name, scheme? }`, or an array of these, each name
   * once. Case is ignored (RFC 9110, section 5.1). `Cookie` and `Set-Cookie` are not allowed.
   *
   * Exactly one of several headers may hold a key. If two do, or one header has two lines, the
   * request is refused as `invalid_api_key`. A blank header counts as absent. Default
   * `X-API-Key`.
   */
  header?: HeadersOption | undefined;
  /**
   * The word before the key, as in `header: 'Authorization', scheme: 'Bearer'`. Case is ignored
   * (RFC 9110, section 11.1). A header with another scheme, or with none, counts as no key. Only
   * allowed beside a header given by its name: others have a scheme of their own. Default none.
   */
  scheme?: string | undefined;
  /**
   * Scopes that the key needs, all of them, compared exactly. A key without them gets 403
   * `insufficient_scope`. Each scope is printable ASCII without blanks, quotes and backslashes
   * (RFC 6749, section 3.3). `undefined` throws. Default `[]`.
   */
  scopes?: readonly string[];
  /**
   * Lets a request without a key pass, without `req.apiKey`. A bad key is still refused. So is
   * every request while the configuration is broken (`api_key_not_configured`). Default `false`.
   */
  optional?: boolean | undefined;
  /**
   * Refuses plain HTTP with 403 `https_required`, the same for good and bad keys and never with a
   * redirect. Uses only `req.secure`, so behind a proxy Express's `trust proxy` must be set.
   * Default `false`.
   */
  requireHttps?: boolean | undefined;
  /**
   * Removes the headers from the request before a later handler or logger sees them. A header
   * with a scheme is removed only if it holds that scheme. A later guard on the same request
   * still finds the key. Default `false`.
   */
  stripHeader?: boolean | undefined;
  /**
   * The protection space named in the challenge (RFC 9110, section 11.5): printable ASCII, which
   * is escaped. Default `api`.
   */
  realm?: string | undefined;
  /**
   * How long all sources together may take, in milliseconds: an integer from 1 to 60 000. A
   * timeout is a fault, answered 503 `key_source_failed`. Default 5 000.
   */
  timeoutMs?: number | undefined;
  /**
   * Answers a refusal, or passes it to the app's error handler:
   * `(error, req, res, next) => next(error)`. Whatever it does, no refusal reaches the guarded
   * handler. Default `respondWithProblem`.
   */
  onRefused?: OnRefused | undefined;
}

/** Middleware for Express 4 and 5. Calling it needs no types of Express. */
export type ApiKeyHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Makes the guard: middleware that only admits a request with a known key that is not expired or
 * revoked and has every required scope. `req.apiKey` then says who is calling. Everything else is
 * refused: an unset variable, a failing or slow source, an invalid answer.
 *
 * Without options, as in `app.get('/hello', requireApiKey(), hello)`, it reads the header
 * `X-API-Key`. It then knows the key in the variable `INTERNAL_API_KEY` and the `user:key` pairs
 * in `API_KEYS`. A presented key is 1 to 512 characters of visible ASCII without a comma.
 * Anything else is `invalid_api_key`.
 *
 * `onRefused` answers a refused request, by default as `application/problem+json`. An admitted
 * one gets `Vary` for the header, and `Cache-Control: private` unless the handler sets its own.
 * With several guards on one request, the last one that found a key sets the identity. A CORS
 * preflight carries no key and is refused, so mount `cors()` before the guard.
 *
 * @throws {TypeError} for an unknown or wrong option, naming it and never printing its value.
 *   Also with the first request if `requireApiKey` itself was mounted: `app.use(requireApiKey)`.
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
  return guard.handle as ApiKeyHandler;
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

/** A class cannot be called as a source, so every request would be answered 503. */
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

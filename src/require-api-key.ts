import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, Response } from 'express';
import { SourceList } from './guard/ask-sources.js';
import { Guard } from './guard/guard.js';
import type { OnRefused } from './guard/run-on-refused.js';
import type { KeySource, VerifyKey } from './key-source.js';
import { describeChallenges } from './lib/challenge.js';
import * as is from './lib/options.js';
import { respondWithProblem } from './respond-with-problem.js';
import { envKeyList } from './sources/env-key-list.js';
import { envKey } from './sources/env-key.js';

export interface RequireApiKeyOptions {
  /**
   * What checks presented keys: a source, a function, or several, asked in order; the first that knows the key decides.
   * Default `[envKey('INTERNAL_API_KEY'), envKeyList('API_KEYS')]`.
   */
  source?: KeySource | VerifyKey | readonly (KeySource | VerifyKey)[] | undefined;
  /** The one header that is read. Default `X-API-Key`. */
  header?: string | undefined;
  /** With it the header must read `<scheme> <key>`, as in `header: 'Authorization', scheme: 'Bearer'`. Default none. */
  scheme?: string | undefined;
  /** Scopes of which the key needs every one, else 403. Default `[]`. */
  scopes?: readonly string[] | undefined;
  /** Lets a request without a key through, without `req.apiKey`; a bad key is still refused. Default `false`. */
  optional?: boolean | undefined;
  /**
   * Refuses plain HTTP with 403, the same for good and bad keys. Trusts `req.secure` alone, so behind a proxy Express's
   * `trust proxy` has to be set. Default `false`.
   */
  requireHttps?: boolean | undefined;
  /** Takes the key out of the request before any handler or logger sees it; a later guard still finds it. Default `false`. */
  stripHeader?: boolean | undefined;
  /** The protection space named in the challenge (RFC 9110, section 11.5); printable ASCII. Default `api`. */
  realm?: string | undefined;
  /** How long all sources together may take, in milliseconds, 1 to 60 000; slower is a fault (503). Default 5 000. */
  timeoutMs?: number | undefined;
  /** Answers a refusal. No refusal ever reaches the handler, whatever this does. Default `respondWithProblem`. */
  onRefused?: OnRefused | undefined;
}

/** What `requireApiKey()` and `requireScopes()` return: middleware for Express 4 and 5. */
export type ApiKeyHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Makes the middleware that lets a request through only with a known, usable and sufficient key, and says on `req.apiKey`
 * whose it is. Whatever else happens, an unset variable, a failing or slow source, a strange answer, is refused.
 *
 * @throws {TypeError} for an unknown or wrong option; the message names it and never prints its value.
 */
export function requireApiKey(options?: RequireApiKeyOptions): ApiKeyHandler {
  // oxlint-disable-next-line prefer-rest-params
  if (arguments.length > 1)
    throw new TypeError('requireApiKey: call it where you mount it: app.use(requireApiKey())');
  const {
    source = [envKey('INTERNAL_API_KEY'), envKeyList('API_KEYS')],
    header = 'X-API-Key',
    scheme,
    scopes = [],
    optional = false,
    requireHttps = false,
    stripHeader: stripsHeader = false,
    realm = 'api',
    timeoutMs = 5_000,
    onRefused = respondWithProblem,
  } = checkOptions(options);

  const guard = new Guard({
    sources: new SourceList([source].flat(), timeoutMs),
    header,
    scheme,
    scopes: [...scopes],
    optional,
    requireHttps,
    stripsHeader,
    challenges: describeChallenges({ realm, header, scheme }),
    onRefused,
  });
  return function requireApiKeyHandler(req, res, next) {
    guard.handle(req as Request, res as Response, next);
  };
}

const isSource: is.Check = (value) =>
  typeof value === 'function' || isSourceObject(value)
    ? undefined
    : 'a key source: a function, an object with a "verify" method, or an array of these';

function isSourceObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('verify' in value)) return false;
  const { verify, name, configured, misconfigured } = value as Partial<KeySource>;
  return (
    typeof verify === 'function' &&
    (name === undefined || is.isName(name) === undefined) &&
    [configured, misconfigured].every((each) => each === undefined || typeof each === 'function')
  );
}

const isSources: is.Check = (value) => {
  if (!Array.isArray(value)) return isSource(value);
  return value.length > 0 && Array.from(value).every((each) => isSource(each) === undefined)
    ? undefined
    : 'a key source or a non-empty array of key sources';
};

function checkOptions(options: RequireApiKeyOptions | undefined): RequireApiKeyOptions {
  return is.checkOptions<RequireApiKeyOptions>('requireApiKey', options, {
    source: isSources,
    header: is.isHeaderName,
    scheme: is.isToken,
    scopes: is.isScopes,
    optional: is.isBoolean,
    requireHttps: is.isBoolean,
    stripHeader: is.isBoolean,
    realm: is.isQuotable,
    timeoutMs: is.isInteger(1, 60_000),
    onRefused: is.isFunction,
  });
}

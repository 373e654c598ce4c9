import { describeChallenges } from '../http/challenge.js';

/**
 * Why a request was refused, for programs: codes never change, texts may.
 *
 * 403: `paused_api_key`, `address_not_allowed`, `insufficient_scope`, `https_required`. 503:
 * `api_key_not_configured`, `key_source_failed`. 401: all others.
 *
 * @useDeclaredType
 */
export type ApiKeyErrorCode = keyof typeof refusals;

// Every refusal has one text, so a client learns no more than the code says.
const refusals = {
  missing_api_key: [401, 'API key missing', 'This resource needs an API key.'],
  invalid_api_key: [401, 'API key invalid', 'The API key is not known here.'],
  expired_api_key: [401, 'API key expired', 'The API key has expired; ask for a new one.'],
  revoked_api_key: [401, 'API key revoked', 'The API key was revoked; ask for a new one.'],
  paused_api_key: [
    403,
    'API key paused',
    'The API key is paused; a new key would not help. Ask the operator of this service.',
  ],
  address_not_allowed: [
    403,
    'Address not allowed',
    'The API key may not be used from this address.',
  ],
  insufficient_scope: [
    403,
    'API key not allowed here',
    'The API key is known but lacks a scope it needs here.',
  ],
  https_required: [
    403,
    'HTTPS required',
    'API keys are only accepted over HTTPS; replace a key sent without it.',
  ],
  api_key_not_configured: [
    503,
    'API keys not configured',
    'This service has no usable API key configuration.',
  ],
  key_source_failed: [
    503,
    'API key check failed',
    'The API key could not be checked just now; try again later.',
  ],
} as const satisfies Record<string, readonly [status: number, title: string, detail: string]>;

// In seconds. A failing source often recovers by itself. A missing configuration needs a person.
const retryAfterSeconds: Partial<Record<ApiKeyErrorCode, string>> = {
  key_source_failed: '5',
  api_key_not_configured: '60',
};

const defaultChallenge = describeChallenges({ realm: 'api', header: 'X-API-Key' }).missing;

/** What a refusal says beyond its code. Every field is optional. */
export interface ApiKeyErrorOptions {
  /** The underlying error. Kept as `cause`, never sent to a client. */
  cause?: unknown;
  /** A sentence for the client in place of the code's own. It must not hold a key. */
  detail?: string | undefined;
  /**
   * The `WWW-Authenticate` value (RFC 9110, section 11.6.1). Default: for a 401 the challenge of
   * the `X-API-Key` header, else none.
   */
  challenge?: string | undefined;
  /**
   * The request header that the answer depends on, for `Vary` (RFC 9110, section 12.5.5). Default
   * `X-API-Key`.
   */
  vary?: string | undefined;
}

/**
 * A refused request. `onRefused` receives it, and through it Express's error handlers. `message`
 * is a sentence for the client. No field holds a key or a digest, unless a key source of your own
 * puts one into its error, kept as `cause`.
 */
export class ApiKeyError extends Error {
  /** Why the request was refused, for programs. */
  readonly code: ApiKeyErrorCode;
  /** The HTTP status: 401, 403 or 503. */
  readonly status: number;
  /**
   * The response headers of the refusal. Express's own error handler sends them too.
   *
   * Always `Cache-Control: no-store` and `Vary`. `WWW-Authenticate` with a 401, and with a 403
   * for scopes under `Bearer`. `Retry-After`, in seconds, with a 503.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether `message` is meant for the client (`http-errors` convention): true below 500. */
  readonly expose: boolean;
  /** A short phrase for people, the same for each use of the code (RFC 9457, section 3.1.3). */
  readonly title: string;

  /** Makes the refusal of a code, for tests and for your own handlers that refuse like a guard. */
  constructor(code: ApiKeyErrorCode, options: ApiKeyErrorOptions = {}) {
    const [status, title, detail] = refusals[code];
    super(
      options.detail ?? detail,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    const retryAfter = retryAfterSeconds[code];
    const { vary = 'X-API-Key', challenge = status === 401 ? defaultChallenge : undefined } =
      options;
    this.name = 'ApiKeyError';
    this.code = code;
    this.status = status;
    this.title = title;
    this.expose = status < 500;
    this.headers = {
      // RFC 9111, section 5.2.2.5: a refusal must not be replayed to the next caller.
      'Cache-Control': 'no-store',
      Vary: vary,
      ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
      ...(retryAfter !== undefined && { 'Retry-After': retryAfter }),
    };
  }
}

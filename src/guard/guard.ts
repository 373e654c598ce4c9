import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import { ApiKeyError, type ApiKeyErrorCode } from '../keys/api-key-error.js';
import type { ApiKey } from '../keys/api-key.js';
import { channels } from '../keys/diagnostics.js';
import { reasonOf, type Refusal } from '../keys/refusal.js';
import { hasScopes } from '../keys/admission.js';
import type { Challenges } from '../http/challenge.js';
import { logFault } from '../http/fault-log.js';
import type { KeyHeader } from '../http/key-headers.js';
import { readFromOneOf, readPresentedKey, stripHeader } from '../http/presented-key.js';
import { appendVary, keepPrivate, setHeaders } from '../http/response-headers.js';
import { isVerdict, type SourceList, type Verdict } from './source-list.js';
import { prepareProblem, respondWithProblem } from './respond-with-problem.js';
import { runOnRefused, warnOfRefusedPreflight, type OnRefused } from './run-on-refused.js';

export interface GuardOptions {
  readonly sources: SourceList;
  readonly headers: readonly KeyHeader[];
  readonly scopes: readonly string[];
  readonly optional: boolean;
  readonly requireHttps: boolean;
  readonly stripsHeader: boolean;
  readonly challenges: Challenges;
  readonly onRefused: OnRefused;
}

/** One request while a guard handles it. */
export interface RequestContext {
  readonly req: Request;
  readonly res: Response;
  readonly next: NextFunction;
  /** Absent if nobody observed verdicts at the start. */
  readonly startedAt: number | undefined;
  presentedKey: string | undefined;
}

/** What the key would have needed: every one of these scopes, or any one of them. */
export interface NeededScopes {
  readonly scopes: readonly string[];
  readonly anyIsEnough?: boolean;
}

/** Decides on requests. Only a guard calls `next` for an admitted request or refuses one. */
export class Guard {
  readonly #options: GuardOptions;
  /** The names of the headers, for `Vary`. */
  readonly #vary: string;
  /** Where to send a key, for a client that sent none. */
  readonly #hint: string;
  /** The default answers with 401, from the first refusal of each code. */
  readonly #prepared = new Map<ApiKeyErrorCode, [answer: OnRefused, error: ApiKeyError]>();

  constructor(options: GuardOptions) {
    this.#options = options;
    const { headers } = options;
    const places = headers.map(
      ({ name, scheme }) => `the ${name} header${scheme ? `, as "${scheme} <key>"` : ''}`,
    );
    this.#hint = `Send an API key in ${places.join(', or in ')}.`;
    this.#vary = headers.map(({ name }) => name).join(', ');
  }

  /** The middleware. A field, because Express calls it without its guard. */
  readonly handle = (req: Request, res: Response, next: NextFunction): void => {
    const { sources, headers, optional, requireHttps, stripsHeader } = this.#options;
    const { admitted, refused } = channels;
    const isObserved = admitted.hasSubscribers || refused.hasSubscribers;
    const startedAt = isObserved ? performance.now() : undefined;
    const context: RequestContext = { req, res, next, startedAt, presentedKey: undefined };
    // Before any verdict, because answers depend on the header with and without a key.
    appendVary(res, this.#vary);

    // Before any refusal, because its answer may log the request.
    if (stripsHeader)
      for (const { lowerName, lowerScheme } of headers) stripHeader(req, lowerName, lowerScheme);
    // Before the key is read, so that good and bad keys sent over plain HTTP get the same answer.
    if (requireHttps && req.secure !== true) {
      this.refuse({ code: 'https_required', reason: 'plain_http' }, context);
      return;
    }
    const presentedKey =
      headers.length > 1
        ? readFromOneOf(req, headers)
        : readPresentedKey(req, headers[0]!.lowerName, headers[0]!.lowerScheme);
    if (typeof presentedKey !== 'string') {
      const refusal = sources.configurationFault(req) ?? presentedKey;
      if (optional && refusal.code === 'missing_api_key') this.#letPassWithoutKey(context);
      else this.refuse(refusal, context);
      return;
    }
    context.presentedKey = presentedKey;
    const verdict = sources.ask(presentedKey, req);
    if (isVerdict(verdict)) {
      this.#settle(verdict, context);
    } else {
      // As Express does for synchronous errors: an accessor or a wrapped response must not end the
      // process.
      verdict
        .then((late) => {
          // If the client has gone, or somebody else has answered, nothing is left to decide.
          if (!res.destroyed && !res.writableEnded) this.#settle(late, context);
        })
        .catch((thrown: unknown) => next(asError(thrown)));
    }
  };

  #settle(verdict: Verdict, context: RequestContext): void {
    const { scopes } = this.#options;
    if (!verdict.ok) {
      this.refuse(verdict, context);
    } else if (hasScopes(verdict.apiKey, scopes)) {
      this.#admit(verdict.apiKey, context);
    } else {
      this.refuse(lacksScope(verdict.apiKey), context, { scopes });
    }
  }

  #admit(apiKey: ApiKey, context: RequestContext): void {
    const { req, startedAt } = context;
    req.apiKey = apiKey;
    if (channels.admitted.hasSubscribers) {
      const { keyId, user, source } = apiKey;
      channels.admitted.publish({ request: req, keyId, user, source, ...durationSince(startedAt) });
    }
    this.#letPass(context);
  }

  /**
   * Lets a request without a key pass. It keeps an identity only if an earlier guard has set it.
   */
  #letPassWithoutKey(context: RequestContext): void {
    const { req } = context;
    // Set rather than deleted: an identity on a prototype would show through.
    if (!guardOf(req) && req.apiKey !== undefined) Object.assign(req, { apiKey: undefined });
    this.#letPass(context);
  }

  #letPass({ req, res, next }: RequestContext): void {
    (req as GuardedMessage)[guard] = this;
    keepPrivate(res);
    next();
  }

  /** Refuses a request. `requireScopes` calls it too, after the guard has admitted the request. */
  refuse(refusal: Refusal, context: RequestContext, needed?: NeededScopes): void {
    const { req, res, next, startedAt, presentedKey } = context;
    const { code, keyId, user, source } = refusal;
    if (channels.refused.hasSubscribers) {
      channels.refused.publish({
        request: req,
        ...(keyId && { keyId }),
        ...(user && { user }),
        ...(source && { source }),
        code,
        reason: reasonOf(refusal),
        ...durationSince(startedAt),
      });
    }
    warnOfRefusedPreflight(req);
    const prepared = this.#prepared.get(code);
    if (prepared && !res.headersSent) {
      runOnRefused(...prepared, req, res, next);
      return;
    }
    const { onRefused } = this.#options;
    const create = () => this.#createError(refusal, needed);
    const error = refusal.cause === undefined ? withoutStack(create) : create();
    // Such an answer depends on its code alone, and nobody sees the error, unless another answer
    // has begun. Preparing it once saves a quarter of a refusal's time.
    if (onRefused === respondWithProblem && error.status === 401 && !res.headersSent)
      this.#prepared.set(code, [prepareProblem(error), error]);
    if (error.status === 503) logFault(error, { source, presentedKey });
    // Clients and caches must recognize every answer as a refusal.
    setHeaders(res, error.headers);
    runOnRefused(onRefused, error, req, res, next);
  }

  #createError({ code, cause }: Refusal, needed?: NeededScopes): ApiKeyError {
    const { challenges } = this.#options;
    let detail: string | undefined;
    let challenge: string | undefined;
    if (needed) {
      const { scopes, anyIsEnough } = needed;
      const lack = anyIsEnough ? 'needs one of these scopes here' : 'lacks a scope it needs here';
      detail = `The API key is known but ${lack}: ${scopes.join(' ')}.`;
      challenge = challenges.insufficient(scopes);
    } else if (code === 'missing_api_key') {
      detail = this.#hint;
      challenge = challenges.missing;
    } else if (/^(?:invalid|expired|revoked)/.test(code)) {
      // The other refusals that a better key would change.
      challenge = challenges.invalid;
    }
    return new ApiKeyError(code, { cause, detail, challenge, vary: this.#vary });
  }
}

export const lacksScope = ({ keyId, user, source }: ApiKey): Refusal => ({
  code: 'insufficient_scope',
  reason: 'scope_missing',
  keyId,
  user,
  source,
});

/** Always an error, because Express treats texts such as 'route' as commands. */
const asError = (thrown: unknown) =>
  thrown instanceof Error ? thrown : new Error('the guard failed', { cause: thrown });

/**
 * Refusals are expected, so this skips the stack trace. Capturing it is most of their cost, which
 * matters under a flood of bad keys.
 */
function withoutStack<Result>(make: () => Result): Result {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 0;
  } catch {
    // It is frozen under `--frozen-intrinsics`.
    return make();
  }
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const durationSince = (startedAt: number | undefined) =>
  startedAt !== undefined && { durationMs: performance.now() - startedAt };

// A registered symbol, because an app may load two copies of the library, as a module and as
// CommonJS. They share this contract: if `refuse` changes, the number must change too.
const guard = Symbol.for('require-api-key.guard@1');

type GuardedMessage = IncomingMessage & { [guard]?: Guard };

/** Whether a copy of the library with another contract let this request pass. */
export function hasOtherGuard(req: IncomingMessage): boolean {
  return Object.getOwnPropertySymbols(req).some(
    (symbol) =>
      symbol !== guard && symbol.description?.startsWith('require-api-key.guard') === true,
  );
}

/** The last guard that let this request pass, with or without a key. */
export function guardOf(req: IncomingMessage): Guard | undefined {
  return (req as GuardedMessage)[guard];
}

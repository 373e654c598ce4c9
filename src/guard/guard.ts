import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import { ApiKeyError } from '../keys/api-key-error.js';
import type { ApiKey } from '../keys/api-key.js';
import { channels, isVerdictObserved } from '../keys/diagnostics.js';
import { reasonOf, type Refusal } from '../keys/refusal.js';
import { hasAnyScope, hasScopes } from '../keys/admission.js';
import type { Challenges } from '../http/challenge.js';
import { logFault } from '../http/fault-log.js';
import type { KeyHeader } from '../http/key-headers.js';
import { readFromOneOf, readPresentedKey, stripHeader } from '../http/presented-key.js';
import { appendVary, keepPrivate, setHeaders } from '../http/response-headers.js';
import { failed, isVerdict, type SourceList, type Verdict } from './source-list.js';
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

/** One request on its way through a guard. */
interface RequestContext {
  readonly req: Request;
  readonly res: Response;
  readonly next: NextFunction;
  /** Unless nobody observed verdicts then. */
  readonly startedAt: number | undefined;
  presentedKey: string | undefined;
}

/** What a handler behind the guard needs of a request. */
export interface ScopeDemand {
  /** Whether one of the scopes is enough. */
  readonly anyIsEnough: boolean;
  /** May throw, which is a fault. */
  scopesFor(req: Request): readonly string[];
}

interface NeededScopes {
  readonly scopes: readonly string[];
  readonly anyIsEnough: boolean;
}

/** Decides on requests. Nothing else calls `next` for an admitted one, or refuses one. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #read: (req: Request) => string | Refusal;
  /** The names of the headers, for `Vary`. */
  readonly #vary: string;

  constructor(options: GuardOptions) {
    this.#options = options;
    const { headers } = options;
    const [{ lowerName, lowerScheme }, ...others] = headers as readonly [KeyHeader];
    this.#read =
      others.length === 0
        ? (req) => readPresentedKey(req, lowerName, lowerScheme)
        : (req) => readFromOneOf(req, headers);
    this.#vary = headers.map(({ name }) => name).join(', ');
  }

  handle(req: Request, res: Response, next: NextFunction): void {
    const { sources, headers, optional, requireHttps, stripsHeader } = this.#options;
    const startedAt = isVerdictObserved() ? performance.now() : undefined;
    const context: RequestContext = { req, res, next, startedAt, presentedKey: undefined };
    // Before any verdict: answers to requests with a key and without one differ alike.
    appendVary(res, this.#vary);

    // Before anything is refused: what answers a refusal may log the request.
    if (stripsHeader)
      for (const { lowerName, lowerScheme } of headers) stripHeader(req, lowerName, lowerScheme);
    // Before the key is looked at: a good key and a bad one sent in the clear get the same answer.
    if (requireHttps && req.secure !== true) {
      this.#refuse({ code: 'https_required', reason: 'plain_http' }, context);
      return;
    }
    const presentedKey = this.#read(req);
    if (typeof presentedKey !== 'string') {
      const refusal = sources.configurationFault(req) ?? presentedKey;
      if (optional && refusal.code === 'missing_api_key') this.#letPassWithoutKey(context);
      else this.#refuse(refusal, context);
      return;
    }
    context.presentedKey = presentedKey;
    const verdict = sources.ask(presentedKey, req);
    if (isVerdict(verdict)) {
      this.#settle(verdict, context);
    } else {
      // As Express does for what is thrown at once: an accessor or a wrapped response must not end the process.
      verdict
        .then((late) => this.#settleLate(late, context))
        .catch((thrown: unknown) => next(asError(thrown)));
    }
  }

  #settleLate(verdict: Verdict, context: RequestContext): void {
    // The client may have gone meanwhile, or somebody else have answered it: then there is nothing left to decide.
    const { res } = context;
    if (!res.destroyed && !res.writableEnded) this.#settle(verdict, context);
  }

  /** Decides on a request that this guard has let pass, by the scopes that a later handler needs. */
  handleScopes(demand: ScopeDemand, req: Request, res: Response, next: NextFunction): void {
    const startedAt = isVerdictObserved() ? performance.now() : undefined;
    const context: RequestContext = { req, res, next, startedAt, presentedKey: undefined };
    const { apiKey } = req;
    if (!apiKey) {
      this.#refuse({ code: 'missing_api_key', reason: 'header_absent' }, context);
      return;
    }
    let scopes: readonly string[];
    try {
      scopes = demand.scopesFor(req);
    } catch (cause) {
      this.#refuse(failed('source_threw', cause, req, 'requireScopes'), context);
      return;
    }
    if (demand.anyIsEnough ? hasAnyScope(apiKey, scopes) : hasScopes(apiKey, scopes)) next();
    else this.#refuseScopes(scopes, apiKey, context, demand.anyIsEnough);
  }

  #settle(verdict: Verdict, context: RequestContext): void {
    const { scopes } = this.#options;
    if (!verdict.ok) {
      this.#refuse(verdict, context);
    } else if (hasScopes(verdict.apiKey, scopes)) {
      this.#admit(verdict.apiKey, context);
    } else {
      this.#refuseScopes(scopes, verdict.apiKey, context);
    }
  }

  #refuseScopes(
    scopes: readonly string[],
    { keyId, user, source }: ApiKey,
    context: RequestContext,
    anyIsEnough = false,
  ): void {
    this.#refuse(
      { code: 'insufficient_scope', reason: 'scope_missing', keyId, user, source },
      context,
      { scopes, anyIsEnough },
    );
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

  /** Lets a request pass that presents nothing, with no identity but one that an earlier guard has vouched for. */
  #letPassWithoutKey(context: RequestContext): void {
    const { req } = context;
    // Set, not deleted: one on a prototype would show through.
    if (!guardOf(req) && req.apiKey !== undefined) Object.assign(req, { apiKey: undefined });
    this.#letPass(context);
  }

  #letPass({ req, res, next }: RequestContext): void {
    setGuard(req, this);
    keepPrivate(res);
    next();
  }

  #refuse(refusal: Refusal, context: RequestContext, needed?: NeededScopes): void {
    const { req, res, next, startedAt, presentedKey } = context;
    const create = () => this.#createError(refusal, needed);
    const error = refusal.cause === undefined ? withoutStack(create) : create();
    if (error.status === 503) logFault(error, { source: refusal.source, presentedKey });
    if (channels.refused.hasSubscribers) {
      const { code, keyId, user, source } = refusal;
      const reason = reasonOf(refusal);
      const who = {
        ...(keyId !== undefined && { keyId }),
        ...(user !== undefined && { user }),
        ...(source && { source }),
      };
      channels.refused.publish({ request: req, ...who, code, reason, ...durationSince(startedAt) });
    }
    warnOfRefusedPreflight(req);
    const { onRefused } = this.#options;
    // Whoever words the answer, clients and caches must understand it as a refusal.
    setHeaders(res, error.headers);
    runOnRefused(onRefused, error, req, res, next);
  }

  #createError({ code, cause }: Refusal, needed?: NeededScopes): ApiKeyError {
    const { headers, challenges } = this.#options;
    const vary = this.#vary;
    switch (code) {
      case 'missing_api_key': {
        const places = headers.map(
          ({ name, scheme }) =>
            `in the ${name} header${scheme === undefined ? '' : `, as "${scheme} <key>"`}`,
        );
        const detail = `Send an API key ${places.join(', or ')}.`;
        return new ApiKeyError(code, { detail, challenge: challenges.missing, vary });
      }
      case 'insufficient_scope': {
        const { scopes = [], anyIsEnough = false } = needed ?? {};
        const lack = anyIsEnough ? 'needs one of these scopes here' : 'lacks a scope it needs here';
        const detail = `The API key is known but ${lack}: ${scopes.join(' ')}.`;
        return new ApiKeyError(code, {
          detail,
          challenge: challenges.insufficient(scopes),
          vary,
        });
      }
      case 'invalid_api_key':
      case 'expired_api_key':
      case 'revoked_api_key':
        return new ApiKeyError(code, { challenge: challenges.invalid, vary });
      default:
        return new ApiKeyError(code, { cause, vary });
    }
  }
}

/** Always an error: Express reads texts such as 'route' as orders. */
const asError = (thrown: unknown) =>
  thrown instanceof Error ? thrown : new Error('the guard failed', { cause: thrown });

/**
 * A refusal is an outcome: where in this library it was decided tells nobody anything, and to find that out takes most of the
 * time of a refusal, which whoever floods a server with made-up keys could make it spend.
 */
function withoutStack<Result>(make: () => Result): Result {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 0;
  } catch {
    // It is frozen, as under `--frozen-intrinsics`.
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

// Registered, as an app may load two copies of the library, as a module and as CommonJS. What stands there is a contract between them:
// a change of `handleScopes` needs another number.
const guard = Symbol.for('require-api-key.guard@1');

type GuardedMessage = IncomingMessage & { [guard]?: Guard };

function setGuard(req: IncomingMessage, passed: Guard): void {
  (req as GuardedMessage)[guard] = passed;
}

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

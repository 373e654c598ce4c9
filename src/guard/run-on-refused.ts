import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { ApiKeyError } from '../keys/api-key-error.js';
import { isThenable } from '../lib/values.js';
import { warnOnce } from '../lib/warn.js';

/**
 * Answers a refused request, or passes it on with `next(error)`. The headers of the refusal are
 * already set. A bare `next()`, `next('route')`, a throw or a rejection leads to the app's error
 * handler, never to the guarded one.
 */
export type OnRefused = (
  error: ApiKeyError,
  req: Request,
  res: Response,
  next: NextFunction,
) => unknown;

/** Runs `onRefused` so that it can never reach the guarded handler. */
export function runOnRefused(
  onRefused: OnRefused,
  error: ApiKeyError,
  req: Request,
  res: Response,
  next: NextFunction,
): void {
  // Express continues with a handler for next(), and with the next route for 'route' and 'router'.
  // Only an error stops it.
  const fail = (reason?: unknown) =>
    next(typeof reason === 'object' && reason !== null ? reason : error);
  let handedOver = false;
  const handOver = (reason?: unknown) => {
    if (handedOver) return;
    handedOver = true;
    fail(reason);
  };
  // Express keeps its own `next` there. sendFile() and download() call it without an argument for a
  // folder. The app's error handler may need it after `onRefused` has passed the request on.
  req.next = fail as NextFunction;
  try {
    const result = onRefused(error, req, res, handOver as NextFunction);
    if (isThenable(result)) Promise.resolve(result).catch(handOver);
  } catch (thrown) {
    handOver(thrown);
  }
}

/**
 * A browser sends its preflight without the key, so a guard before `cors()` breaks every call
 * from a page.
 */
export function warnOfRefusedPreflight(req: IncomingMessage): void {
  if (
    req.method !== 'OPTIONS' ||
    !req.headers.origin ||
    !req.headers['access-control-request-method']
  )
    return;
  warnOnce('requireApiKey refused a CORS preflight. Mount cors() before the guard.');
}

import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { ApiKeyError } from '../keys/api-key-error.js';
import { isThenable } from '../lib/values.js';
import { warnOnce } from '../lib/warn.js';

/**
 * Answers a refused request, or hands it over with `next(error)`; the headers of the refusal are set by then. A bare `next()`,
 * `next('route')`, a throw and a rejection all lead to the app's error handler, never to the guarded one.
 */
export type OnRefused = (
  error: ApiKeyError,
  req: Request,
  res: Response,
  next: NextFunction,
) => unknown;

/** Runs `onRefused` so that, whatever it does, the guarded handler stays out of reach. */
export function runOnRefused(
  onRefused: OnRefused,
  error: ApiKeyError,
  req: Request,
  res: Response,
  next: NextFunction,
): void {
  // Express goes on to a handler for next(), and to the next route for 'route' and 'router': only an error stops it.
  const fail = (reason?: unknown) =>
    next(typeof reason === 'object' && reason !== null ? reason : error);
  let handedOver = false;
  const handOver = (reason?: unknown) => {
    if (handedOver) return;
    handedOver = true;
    fail(reason);
  };
  // Express keeps its own `next` there: sendFile() and download() call it without an argument for a folder, and the app's error
  // handler may need it after `onRefused` has handed over.
  req.next = fail as NextFunction;
  try {
    const result = onRefused(error, req, res, handOver as NextFunction);
    if (isThenable(result)) Promise.resolve(result).catch(handOver);
  } catch (thrown) {
    handOver(thrown);
  }
}

/** A browser asks for permission without the key, so a guard in front of `cors()` breaks every call from a page. */
export function warnOfRefusedPreflight(req: IncomingMessage): void {
  if (
    req.method !== 'OPTIONS' ||
    !req.headers.origin ||
    !req.headers['access-control-request-method']
  )
    return;
  warnOnce(
    'requireApiKey refused a CORS preflight, which carries no key. Mount cors() before the guard.',
  );
}

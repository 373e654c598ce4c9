import type { RequestHandler } from 'express';
import { MemoryStore, ipKeyGenerator, rateLimit, type Options } from 'express-rate-limit';
import { apiKeyOf } from 'require-api-key';
import { Problem, sendProblem } from './problem.js';

export interface RateLimits {
  /** How many 401 answers one address may collect in a window before it is turned away. */
  failedAttempts: number;
  /** How many requests one user may make in a window, with all keys together. */
  requestsPerUser: number;
  windowMs: number;
}

export const defaultRateLimits: RateLimits = {
  failedAttempts: 20,
  requestsPerUser: 300,
  windowMs: 60_000,
};

/**
 * Turns an address away after too many bad keys. Goes in front of the guards.
 *
 * Counts answers, not requests: an office that uploads all at once has many good requests under
 * way.
 */
export function limitFailedAttempts({ failedAttempts, windowMs }: RateLimits): RequestHandler {
  const failures = new MemoryStore();
  failures.init({ windowMs } as Options);

  return async function refuseAfterFailedAttempts(req, res, next) {
    // An IPv6 client owns a whole subnet, so single addresses would never run out.
    const address = ipKeyGenerator(req.ip ?? '');
    const seen = await failures.get(address);
    if (seen?.resetTime !== undefined && seen.totalHits >= failedAttempts) {
      const waitMs = seen.resetTime.getTime() - Date.now();
      res.set('Retry-After', String(Math.max(1, Math.ceil(waitMs / 1000))));
      sendProblem(
        res,
        new Problem({
          status: 429,
          code: 'too_many_failed_attempts',
          title: 'Too many failed attempts',
          detail:
            'Too many requests from this address had no valid API key. Retry-After tells how long to wait.',
        }),
      );
      return;
    }
    res.on('finish', () => {
      if (res.statusCode === 401) void failures.increment(address);
    });
    next();
  };
}

/**
 * Gives every user an allowance, wherever the requests come from. Goes behind the guard.
 *
 * Counted by key, a rotation would start a new allowance, and ten keys would have ten.
 */
export function limitRequestsPerUser({ requestsPerUser, windowMs }: RateLimits): RequestHandler {
  return rateLimit({
    windowMs,
    limit: requestsPerUser,
    keyGenerator: (req) => apiKeyOf(req).user,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (_req, res) => {
      sendProblem(
        res,
        new Problem({
          status: 429,
          code: 'too_many_requests',
          title: 'Too many requests',
          detail: 'This user has made too many requests. Retry-After tells how long to wait.',
        }),
      );
    },
  });
}

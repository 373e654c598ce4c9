/*
 * Rate limits: failed attempts by address in front of the guard, requests by user behind it.
 *
 *   app.use('/api', limitFailedAttempts(), requireApiKey(), limitRequestsPerUser(), routes);
 *
 * Both count in the memory of one process. For several, give both a store that they share.
 */
import type { RequestHandler } from 'express';
import { ipKeyGenerator, MemoryStore, rateLimit, type Options } from 'express-rate-limit';
import { apiKeyOf } from 'require-api-key';

/** Counts an answer once it is known to be a 401, so many good requests at once do no harm. */
export function limitFailedAttempts({ limit = 20, windowMs = 60_000 } = {}): RequestHandler {
  const failures = new MemoryStore();
  failures.init({ windowMs } as Options);
  return async (req, res, next) => {
    // An IPv6 client owns a whole subnet, so single addresses would never run out.
    const address = ipKeyGenerator(req.ip ?? '');
    const seen = await failures.get(address);
    if (seen && seen.totalHits >= limit) {
      const waitMs = seen.resetTime ? seen.resetTime.getTime() - Date.now() : windowMs;
      res.status(429).set('Retry-After', String(Math.max(1, Math.ceil(waitMs / 1000))));
      res.json({ error: 'Too many failed attempts' });
      return;
    }
    res.on('finish', () => {
      if (res.statusCode === 401) void failures.increment(address);
    });
    next();
  };
}

/**
 * Every user has an allowance, with all keys together: a rotation does not reset it, and ten keys
 * do not have ten. A key may have a limit of its own, in its metadata: `requestsPerMinute`.
 */
export const limitRequestsPerUser = ({ limit = 300 } = {}): RequestHandler =>
  rateLimit({
    limit: (req) => limitIn(apiKeyOf(req).metadata) ?? limit,
    windowMs: 60_000,
    keyGenerator: (req) => apiKeyOf(req).user,
    standardHeaders: 'draft-8',
  });

/** `undefined` if there is no limit or none that makes sense: a typo must not mean "no limit". */
function limitIn({ requestsPerMinute }: Readonly<Record<string, unknown>>): number | undefined {
  const isSensible =
    Number.isInteger(requestsPerMinute) &&
    Number(requestsPerMinute) >= 1 &&
    Number(requestsPerMinute) <= 100_000;
  return isSensible ? Number(requestsPerMinute) : undefined;
}

/*
 * Rate limits: failed attempts by address in front of the guard, requests by key behind it.
 *
 *   app.use('/api', limitFailedAttempts(), requireApiKey(), limitRequestsPerKey(), routes);
 *
 * Both count in the memory of one process. For several, give both a store that they share.
 */
import type { RequestHandler } from 'express';
import { ipKeyGenerator, MemoryStore, rateLimit, type Options } from 'express-rate-limit';
import { apiKeyOf } from 'require-api-key';

/** Counts an answer once it is known to be a 401, so that many good requests at the same time are not in each other's way. */
export function limitFailedAttempts({ limit = 20, windowMs = 60_000 } = {}): RequestHandler {
  const failures = new MemoryStore();
  failures.init({ windowMs } as Options);
  return async (req, res, next) => {
    // Of an IPv6 address only the subnet counts: its owner could go on for ever with single addresses.
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

/** Every key has its own allowance, wherever its requests come from. */
export const limitRequestsPerKey = ({ limit = 300, windowMs = 60_000 } = {}): RequestHandler =>
  rateLimit({
    limit,
    windowMs,
    keyGenerator: (req) => apiKeyOf(req).keyId,
    standardHeaders: 'draft-8',
  });

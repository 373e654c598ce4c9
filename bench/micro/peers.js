import { memoryAdapter } from 'better-auth/adapters/memory';
import { betterAuth } from 'better-auth';
import { apiKey } from '@better-auth/api-key';
import fastifyBearerAuth from '@fastify/bearer-auth';
import expressBearerToken from 'express-bearer-token';
import { expressjwt } from 'express-jwt';
import Fastify from 'fastify';
import { Context } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import jsonwebtoken from 'jsonwebtoken';
import passport from 'passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import { userOf } from './keys.js';
import { requestMaker } from './requests.js';

const bearer = { header: 'Authorization', scheme: 'Bearer ' };

/** Users by their keys in plain, as the examples of these packages show it. */
const usersOf = (keys) => new Map(keys.map((key, index) => [key, { user: userOf(index) }]));

/** `passport.authenticate`, as Express middleware. */
export function passportMiddleware(keys) {
  const users = usersOf(keys);
  const strategy = new HeaderAPIKeyStrategy(
    { header: 'X-API-Key', prefix: '' },
    false,
    (key, done) => {
      done(null, users.get(key) ?? false);
    },
  );
  return new passport.Passport().use(strategy).authenticate('headerapikey', { session: false });
}

/** express-bearer-token finds the token; the look-up and the refusal are the application's. */
export function bearerTokenMiddleware(keys) {
  const users = usersOf(keys);
  const readToken = expressBearerToken();
  return (req, res, next) =>
    readToken(req, res, () => {
      const user = users.get(req.token);
      if (!user) return res.writeHead(401).end();
      req.apiKey = user;
      next();
    });
}

export function jwtMiddleware() {
  return expressjwt({ secret: jwtSecret, algorithms: ['HS256'] });
}

const jwtSecret = 'a secret of the benchmarks alone, 32 bytes and more';

export const makeTokens = (count) =>
  Array.from({ length: count }, (_, index) =>
    jsonwebtoken.sign({ sub: userOf(1_000 + index) }, jwtSecret, { noTimestamp: true }),
  );

/** @param database better-auth's own setting, by default an object in memory */
export function createBetterAuth(
  database = memoryAdapter({ user: [], session: [], account: [], verification: [], apikey: [] }),
) {
  return betterAuth({
    database,
    secret: 'a secret of the benchmarks alone, 32 bytes and more',
    baseURL: 'http://localhost:3000',
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [apiKey({ rateLimit: { enabled: false } })],
  });
}

export async function makeBetterAuthKeys(auth, count) {
  const context = await auth.$context;
  const user = await context.adapter.create({
    model: 'user',
    data: {
      name: 'alice',
      email: `alice@example.com`,
      emailVerified: true,
      createdAt: new Date(),
      updatedAt: new Date(),
    },
  });
  const keys = [];
  for (let made = 0; made < count; made++) {
    const { key } = await auth.api.createApiKey({ body: { userId: user.id, name: `key ${made}` } });
    keys.push(key);
  }
  return keys;
}

/**
 * better-auth's check as Express middleware: its own server-side call, and the refusal of the
 * application.
 */
export function betterAuthMiddleware(auth) {
  return async (req, res, next) => {
    const { valid, key } = await auth.api.verifyApiKey({ body: { key: req.headers['x-api-key'] } });
    if (!valid) return res.writeHead(401).end();
    req.apiKey = key;
    next();
  };
}

/** Each peer as a subject for `measure`, on so many keys. */
export const peers = {
  'passport-headerapikey': async (keys) =>
    middlewareSubject(passportMiddleware(keys), requestMaker(keys)),

  'express-bearer-token and a Map': async (keys) =>
    middlewareSubject(bearerTokenMiddleware(keys), requestMaker(keys, bearer)),

  'express-jwt (HS256)': async (keys) =>
    asyncSubject(jwtMiddleware(), requestMaker(makeTokens(keys.length), bearer)),

  '@fastify/bearer-auth': async (keys) => {
    const fastify = Fastify();
    await fastify.register(fastifyBearerAuth, { keys: new Set(keys), addHook: false });
    await fastify.ready();
    const verify = fastify.verifyBearerAuth;
    return asyncSubject(
      (req, res, next) => verify({ raw: req, log: fastify.log }, res, next),
      requestMaker(keys, bearer),
    );
  },

  'hono bearerAuth': async (keys) => {
    const check = bearerAuth({ token: keys });
    return {
      name: 'peer',
      prepare() {
        const key = keys[Math.floor(Math.random() * keys.length)];
        const headers = { Authorization: `Bearer ${key}` };
        return new Context(new Request('http://localhost/', { headers }));
      },
      async run(contexts) {
        let passed = 0;
        for (const context of contexts) await check(context, async () => void passed++);
        if (passed !== contexts.length) throw new Error('hono refused a good key');
      },
    };
  },

  'better-auth verifyApiKey': async (keys) => {
    const auth = createBetterAuth();
    const own = await makeBetterAuthKeys(auth, keys.length);
    return {
      name: 'peer',
      prepare: () => own[Math.floor(Math.random() * own.length)],
      async run(presented) {
        for (const key of presented) {
          const { valid } = await auth.api.verifyApiKey({ body: { key } });
          if (!valid) throw new Error('better-auth refused a good key');
        }
      },
    };
  },
};

/** A middleware that calls `next` before it returns. */
export function middlewareSubject(middleware, prepare, name = 'peer') {
  let passed = 0;
  const next = (error) => {
    if (error) throw error;
    passed++;
  };
  return {
    name,
    prepare,
    run(inputs) {
      for (const { req, res } of inputs) middleware(req, res, next);
    },
    check(inputs) {
      if (passed !== inputs.length)
        throw new Error(`${name}: ${passed} of ${inputs.length} passed`);
      passed = 0;
    },
  };
}

/** A middleware that calls `next` later: one request after the other. */
function asyncSubject(middleware, prepare) {
  return {
    name: 'peer',
    prepare,
    async run(inputs) {
      for (const { req, res } of inputs) {
        await new Promise((resolve, reject) => {
          middleware(req, res, (error) => (error ? reject(error) : resolve()));
        });
      }
    },
  };
}

import pg from 'pg';
import {
  ApiKeyManager,
  generateApiKey,
  PostgresKeyStore,
  requireApiKey,
  SqliteKeyStore,
} from '../library.js';
import { appWith } from '../http/apps.js';
import { betterAuthMiddleware, createBetterAuth } from '../micro/peers.js';

/** However slow the machine is: no figure is of look-ups that were given up. */
const queryTimeoutMs = 30_000;

/** Statements that this process has sent, whatever sent them. */
let sent = 0;
class CountingClient extends pg.Client {
  query(...args) {
    sent++;
    return super.query(...args);
  }
}
const queries = () => sent;

const openPool = (url) => new pg.Pool({ connectionString: url, max: 10, Client: CountingClient });
const headersOf = (keys) => keys.map((key) => `X-API-Key: ${key}`);
const text = {
  select: 'select user_name from plain_keys where api_key = $1 and is_active',
  touch: 'update plain_keys set last_used = now() where api_key = $1',
};

/**
 * Each app with the answer to "is this a key?" from the same table of plaintext keys that many apps
 * start with.
 */
const plain =
  (check) =>
  async ({ url, keys }) => {
    const pool = openPool(url);
    const middleware = async (req, res, next) => {
      const { rows } = await check(req.headers['x-api-key'], pool, url);
      if (rows.length === 0) return res.writeHead(401).end();
      req.apiKey = rows[0];
      next();
    };
    return { app: appWith(middleware), headers: headersOf(keys), queries };
  };

const inPostgres = ({ url }) => new PostgresKeyStore({ client: openPool(url), queryTimeoutMs });
const inSqlite = ({ sqlitePath }) => SqliteKeyStore.open(sqlitePath);

const managed =
  (openStore, options) =>
  async ({ keys, ...context }) => {
    const manager = new ApiKeyManager({ store: await openStore(context), ...options });
    for (let start = 0; start < keys.length; start += 100)
      await Promise.all(keys.slice(start, start + 100).map((key) => manager.verify(key)));
    return {
      app: appWith(requireApiKey({ source: manager })),
      headers: headersOf(keys),
      queries,
      flush: () => manager.close(),
    };
  };

export const apps = {
  bare: async ({ keys }) => ({ app: appWith(), headers: headersOf(keys) }),

  'naive: connect, select, update, close': plain(async (key, _pool, url) => {
    const client = new CountingClient({ connectionString: url });
    await client.connect();
    try {
      const found = await client.query(text.select, [key]);
      await client.query(text.touch, [key]);
      return found;
    } finally {
      await client.end();
    }
  }),

  'pooled: select, update': plain(async (key, pool) => {
    const found = await pool.query(text.select, [key]);
    await pool.query(text.touch, [key]);
    return found;
  }),

  'pooled: select': plain((key, pool) => pool.query(text.select, [key])),

  'better-auth': async ({ url, betterAuthKeys }) => {
    const pool = openPool(url);
    const auth = createBetterAuth(pool);
    return {
      app: appWith(betterAuthMiddleware(auth)),
      headers: headersOf(betterAuthKeys),
      queries,
    };
  },

  'managed, warm': managed(inPostgres),
  // Each request presents a key that the one before has pushed out.
  'managed, cold': managed(inPostgres, { maxCachedKeys: 1 }),
  // Well-formed, and given to nobody: each is asked for again, as the one before has pushed it out.
  'managed, made up': async (context) => {
    const { length } = context.keys;
    const made = Array.from({ length }, () => generateApiKey().key);
    const app = await managed(inPostgres, { maxCachedKeys: 1 })({ ...context, keys: made });
    return { ...app, status: 401 };
  },
  'managed in SQLite, warm': managed(inSqlite),
  'managed in SQLite, cold': managed(inSqlite, { maxCachedKeys: 1 }),
};

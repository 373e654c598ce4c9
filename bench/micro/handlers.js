import { hash } from 'node:crypto';
import {
  ApiKeyManager,
  digestApiKey,
  envKeyList,
  MemoryKeyStore,
  parseApiKey,
  requireApiKey,
} from '../library.js';
import { keyListOf, userOf } from './keys.js';

/**
 * A handler written by hand that makes the guard's promises: header, digest, look-up, identity, two
 * response headers, `next`.
 */
export function floor(keys, { setsHeaders = true, Table = Map, encoding = 'hex' } = {}) {
  const digestOf = (key) => hash('sha256', key, encoding);
  const identities = new Table(
    keys.map((key, index) => [digestOf(key), Object.freeze({ user: userOf(index) })]),
  );
  return (req, res, next) => {
    const key = req.headers['x-api-key'];
    const apiKey = typeof key === 'string' ? identities.get(digestOf(key)) : undefined;
    if (apiKey === undefined) {
      res.statusCode = 401;
      res.setHeader('Content-Type', 'application/json');
      res.end('{"error":"invalid API key"}');
      return;
    }
    req.apiKey = apiKey;
    if (setsHeaders) {
      res.setHeader('Vary', 'X-API-Key');
      res.setHeader('Cache-Control', 'private');
    }
    next();
  };
}

export function environmentGuard(keys, variable = 'BENCH_API_KEYS') {
  process.env[variable] = keyListOf(keys);
  const source = envKeyList(variable);
  // Read at first use.
  source.configured();
  return requireApiKey({ source });
}

/** A guard on a manager that has met all these keys already, good ones and others. */
export async function managedGuard(keys, unknownKeys) {
  const manager = await warmManager(keys);
  for (const key of unknownKeys) await manager.verify(key);
  return requireApiKey({ source: manager });
}

export async function warmManager(keys, store = new ListedStore(keys)) {
  const manager = new ApiKeyManager({ store, maxCachedKeys: Math.max(10_000, keys.length) });
  for (const key of keys) await manager.verify(key);
  return manager;
}

/**
 * Makes the record up when it is asked for, so that what is kept in memory is the manager's alone.
 */
export class ListedStore extends MemoryKeyStore {
  #places;

  constructor(keys) {
    super();
    this.#places = new Map(
      keys.map((key, index) => [digestApiKey(key), { index, keyId: parseApiKey(key).keyId }]),
    );
  }

  /** Says that it is alive, as PostgreSQL does with every heartbeat. */
  watch(watcher) {
    const heartbeat = setInterval(() => watcher.alive(), 5_000).unref();
    const watch = super.watch(watcher);
    return {
      aliveForMs: 60_000,
      async close() {
        clearInterval(heartbeat);
        await watch.close();
      },
    };
  }

  async findByDigest(digest) {
    const place = this.#places.get(digest);
    if (!place) return undefined;
    const createdAt = new Date(0);
    return {
      keyId: place.keyId,
      digest,
      user: userOf(place.index),
      scopes: [],
      metadata: {},
      createdAt,
    };
  }
}

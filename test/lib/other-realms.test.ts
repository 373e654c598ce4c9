import { runInNewContext } from 'node:vm';
import express from 'express';
import supertest from 'supertest';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, MemoryKeyStore, requireApiKey, type KeySource } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { CountingStore } from '../support/counting-store.js';
import { sampleKey } from '../support/sample-key.js';

// What Jest does to every test: the objects that Node itself makes are not instances of the classes
// that the test sees.
const otherRealm = runInNewContext(
  '({ Date, Error, AggregateError, Promise })',
) as typeof globalThis;
const hourMs = 3_600_000;
const [past, future] = [
  new otherRealm.Date(Date.now() - 1),
  new otherRealm.Date(Date.now() + hourMs),
];
const key = sampleKey('realm');

function openManager(store = new CountingStore()) {
  const keys = new ApiKeyManager({ store });
  onTestFinished(() => keys.close());
  return { keys, store };
}

async function call(source: KeySource | (() => unknown), presented = key) {
  const app = express().get(
    '/',
    requireApiKey({ source: source as KeySource }),
    (_req, res) => void res.json('in'),
  );
  const { status, body } = await supertest(app).get('/').set('X-API-Key', presented);
  return [status, (body as { code?: string }).code];
}

afterEach(() => void vi.restoreAllMocks());

describe('a Promise of somebody else in the place of the global one', () => {
  it('a manager, a function that answers late, and one that fails -> as with our own', async () => {
    const { keys } = openManager();
    const created = await keys.create({ user: 'alice' });
    class Other extends Promise<unknown> {}
    const own = globalThis.Promise;
    globalThis.Promise = Other as PromiseConstructor;
    onTestFinished(() => void (globalThis.Promise = own));
    vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(await call(keys, created.key)).toEqual([200, undefined]);
    expect(await call(async () => 'alice')).toEqual([200, undefined]);
    expect(await call(async () => undefined)).toEqual([401, 'invalid_api_key']);
    const failing = async () => {
      throw new Error('down');
    };
    expect(await call(failing)).toEqual([503, 'key_source_failed']);
  });
});

describe('objects of another realm, as under Jest', () => {
  it('dates of another realm -> none is an instance of Date, which is what this is about', () => {
    expect(future instanceof Date).toBe(false);
    expect(new otherRealm.Error('x') instanceof Error).toBe(false);
  });

  it.each([
    ['an expiry to come', { expiresAt: future }, [200, undefined]],
    ['an expiry that is over', { expiresAt: past }, [401, 'expired_api_key']],
    ['a revocation', { revokedAt: past }, [401, 'revoked_api_key']],
  ])(
    'a record with %s as a date of another realm -> decided as with one of this realm',
    async (_what, change, answer) => {
      const { keys, store } = openManager();
      const { key: made } = await keys.create({ user: 'alice' });
      store.alter = (stored) => ({ ...stored!, createdAt: past, ...change });
      expect(await call(keys, made)).toEqual(answer);
    },
  );

  it('a callback with an expiry of another realm, at once or in a promise of it -> admitted until then', async () => {
    expect(await call(() => ({ user: 'alice', expiresAt: future }))).toEqual([200, undefined]);
    expect(
      await call(() => otherRealm.Promise.resolve({ user: 'alice', expiresAt: future })),
    ).toEqual([200, undefined]);
    expect(await call(() => ({ user: 'alice', expiresAt: past }))).toEqual([
      401,
      'expired_api_key',
    ]);
  });

  it('a date of another realm that is none -> refused as one of this realm is', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const expiresAt = new otherRealm.Date(Number.NaN);
    expect(await call(() => ({ user: 'alice', expiresAt }))).toEqual([503, 'key_source_failed']);
    await expect(openManager().keys.create({ user: 'alice', expiresAt })).rejects.toThrow(
      /"expiresAt" must be/,
    );
  });

  it('an expiry of another realm for a new key -> taken, and given back as a date of this realm', async () => {
    const { record } = await openManager().keys.create({ user: 'alice', expiresAt: future });
    expect(record.expiresAt).toStrictEqual(new Date(future.getTime()));
  });

  it('the memory store, where structuredClone makes objects -> records of this realm', async () => {
    const clone = structuredClone;
    vi.stubGlobal(
      'structuredClone',
      runInNewContext('(value) => JSON.parse(JSON.stringify(value))') as unknown,
    );
    onTestFinished(() => void vi.stubGlobal('structuredClone', clone));
    const { keys } = openManager(new CountingStore(new MemoryKeyStore()));
    const metadata = JSON.parse('{ "list": ["a"], "__proto__": { "plan": "free" } }') as Record<
      string,
      unknown
    >;
    const { record } = await keys.create({ user: 'alice', metadata });
    expect(record.metadata).toStrictEqual(metadata);
    expect(Object.keys(record.metadata)).toEqual(['list', '__proto__']);
    expect(record.createdAt).toBeInstanceOf(Date);
  });

  it('an error of another realm from a PostgreSQL client -> its message is told', async () => {
    const error = new otherRealm.Error('connect ECONNREFUSED 127.0.0.1:5432');
    for (const thrown of [error, new otherRealm.AggregateError([error], '')]) {
      const store = new PostgresKeyStore({ client: { query: async () => Promise.reject(thrown) } });
      await expect(store.get('key_0000000000')).rejects.toThrow(error.message);
    }
  });

  it('an error of another realm from a callback -> logged with its message', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    // Past the minute in which a fault like one before is not logged again.
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + hourMs);
    const source = () => {
      throw new otherRealm.AggregateError([new otherRealm.Error('no database')], '');
    };
    expect(await call(source)).toEqual([503, 'key_source_failed']);
    expect(logged.mock.calls.flat().join('\n')).toContain('no database');
  });
});

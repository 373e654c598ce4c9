import { describe, expect, it } from 'vitest';
import { ApiKeyManager, generateApiKey, KeyStoreError, MemoryKeyStore } from '../../src/index.js';

const store = new MemoryKeyStore();
const keys = new ApiKeyManager({ store });
const { key } = generateApiKey();

/** What is thrown or rejected with, and that it holds no key. */
async function errorOf(act: () => unknown): Promise<Error> {
  try {
    await act();
  } catch (error) {
    expect(String((error as Error).stack)).not.toContain(key);
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('new ApiKeyManager', () => {
  it.each([
    ['no options', undefined, /"store"/],
    ['a store in place of the options', store, /write new ApiKeyManager\(\{ store \}\)/],
    ['no store', {}, /"store" must be a key store/],
    ['a store that is none', { store: {} }, /"store" must be a key store/],
    ['an unknown option', { store, cacheTtl: 5 }, /"cacheTtl"; did you mean "cacheTtlMs"\?/],
    ['a key as an option', { store, [key]: 1 }, /unknown option; known are/],
    ['a prefix in upper case', { store, prefix: 'Key' }, /"prefix"/],
    ['a duration as text', { store, cacheTtlMs: '30s' }, /"cacheTtlMs" must be a number/],
    ['null', { store, now: null }, /"now" must be a function/],
  ])('%s -> a TypeError that names the option', async (_what, options, message) => {
    const error = await errorOf(() => new ApiKeyManager(options as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
  });

  it.each(['cacheTtlMs', 'staleIfErrorMs', 'lastUsedIntervalMs', 'maxCachedKeys'])(
    '%s that is negative, NaN, infinite, a fraction or too large -> a RangeError that names it',
    async (name) => {
      for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1.5, 1e9]) {
        const error = await errorOf(() => new ApiKeyManager({ store, [name]: value }));
        expect(error).toBeInstanceOf(RangeError);
        expect(error.message).toContain(`"${name}"`);
      }
    },
  );
});

describe('create and import', () => {
  it.each([
    ['no user', {}, /"user" must be/],
    ['an empty user', { user: '' }, /"user" must be/],
    ['a blank user', { user: ' ' }, /"user" must be/],
    ['a NUL in the user', { user: 'a\0b' }, /"user" must be/],
    ['a newline in the name', { user: 'a', name: 'a\nb' }, /"name" must be/],
    [
      'a user of 10 kB',
      { user: 'a'.repeat(10_000) },
      /"user" must be at most 256 characters long; received a string of 10000/,
    ],
    ['scopes as text', { user: 'a', scopes: 'a b' }, /"scopes" must be an array/],
    ['a scope with a blank', { user: 'a', scopes: ['a b'] }, /"scopes" must be/],
    [
      '101 scopes',
      { user: 'a', scopes: Array.from({ length: 101 }, String) },
      /"scopes" must be an array of at most 100/,
    ],
    [
      'a scope of 257 characters',
      { user: 'a', scopes: ['s'.repeat(257)] },
      /"scopes" must be an array of at most 100/,
    ],
    [
      'an expiry as text',
      { user: 'a', expiresAt: '2030-01-01' },
      /"expiresAt" must be a valid Date/,
    ],
    [
      'an expiry before the common era',
      { user: 'a', expiresAt: new Date('-000001-12-31T23:59:59.999Z') },
      /"expiresAt" must be a Date in the years 1 to 9999/,
    ],
    [
      'an expiry in a year of five digits',
      { user: 'a', expiresAt: new Date('+010000-01-01T00:00:00.000Z') },
      /"expiresAt" must be a Date in the years 1 to 9999/,
    ],
    [
      'an invalid expiry',
      { user: 'a', expiresAt: new Date('x') },
      /"expiresAt" must be a valid Date/,
    ],
    [
      'metadata that are no object',
      { user: 'a', metadata: [1] },
      /"metadata" must be a JSON object/,
    ],
    [
      'metadata with a NUL',
      { user: 'a', metadata: { a: '\0' } },
      /"metadata" must be a JSON object/,
    ],
    [
      'metadata that run in a circle',
      { user: 'a', metadata: circle() },
      /"metadata" must be a JSON object/,
    ],
    [
      'metadata of 10 kB',
      { user: 'a', metadata: { a: 'x'.repeat(10_000) } },
      /"metadata" must be a JSON object/,
    ],
    ['an unknown option', { user: 'a', scope: ['a'] }, /"scope"; did you mean "scopes"\?/],
  ])('%s -> a TypeError, and nothing is stored', async (_what, options, message) => {
    const error = await errorOf(() => keys.create(options as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
    const imported = await errorOf(() => keys.import({ ...options, key } as never));
    expect(imported.message).toMatch(message);
    expect(await keys.list()).toEqual([]);
  });

  it.each([
    ['neither key nor digest', {}, /either "key" or "digest"/],
    ['both', { key, digest: `sha256:${'0'.repeat(64)}` }, /either "key" or "digest"/],
    ['a key with a blank', { key: `${key} x` }, /"key" must be a key that a header can carry/],
    ['a digest of another algorithm', { digest: `md5:${'0'.repeat(32)}` }, /"digest" must be/],
  ])('import with %s -> a TypeError that holds no key', async (_what, options, message) => {
    const error = await errorOf(() => keys.import({ user: 'a', ...options }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
  });

  it('SQL and HTML in names -> kept literally', async () => {
    const other = new ApiKeyManager({ store: new MemoryKeyStore() });
    const user = `'; drop table api_keys; --<script>`;
    const { record } = await other.create({ user, name: user });
    expect(await other.get(record.keyId)).toMatchObject({ user, name: user });
  });

  it('an import of a key in this form -> its own key id; of a digest in capitals -> the same key', async () => {
    const other = new ApiKeyManager({ store: new MemoryKeyStore(), prefix: 'app' });
    const made = generateApiKey({ prefix: 'old' });
    expect((await other.import({ user: 'a', key: made.key })).keyId).toBe(made.keyId);
    const second = generateApiKey();
    const digest = `sha256:${second.digest.slice(7).toUpperCase()}`;
    expect((await other.import({ user: 'b', digest })).keyId).toMatch(/^app_[0-9A-Za-z]{10}$/);
    expect(await other.verify(second.key)).toMatchObject({ ok: true, apiKey: { user: 'b' } });
    await expect(other.import({ user: 'c', key: second.key })).rejects.toMatchObject({
      code: 'duplicate_key',
    });
  });

  it('create -> a key of the prefix, shown once, and a record without a digest', async () => {
    const other = new ApiKeyManager({ store: new MemoryKeyStore(), prefix: 'app' });
    const created = await other.create({
      user: 'alice',
      scopes: ['a'],
      metadata: { plan: 'free' },
    });
    expect(created.key.startsWith(created.record.keyId)).toBe(true);
    expect(created.record).toEqual({
      keyId: created.record.keyId,
      user: 'alice',
      scopes: ['a'],
      metadata: { plan: 'free' },
      createdAt: expect.any(Date),
    });
  });
});

describe('update, rotate, revoke, list, prune', () => {
  it.each([
    [
      'an overlap past 365 days',
      () => keys.rotate('x', { overlapMs: 365 * 86_400_000 + 1 }),
      RangeError,
      /"overlapMs"/,
    ],
    ['a negative overlap', () => keys.rotate('x', { overlapMs: -1 }), RangeError, /"overlapMs"/],
    ['a NaN overlap', () => keys.rotate('x', { overlapMs: Number.NaN }), RangeError, /"overlapMs"/],
    [
      'an unknown start',
      () => keys.rotate('x', { startsAt: 'later' as never }),
      TypeError,
      /"startsAt" must be "now" or/,
    ],
    ['family as text', () => keys.revoke('x', { family: 'yes' as never }), TypeError, /"family"/],
    ['a limit of 0', () => keys.list({ limit: 0 }), RangeError, /"limit"/],
    [
      'an unknown status',
      () => keys.list({ status: 'dead' as never }),
      TypeError,
      /"status" must be "active" or/,
    ],
    ['no age', () => keys.prune({} as never), TypeError, /"olderThanMs"/],
    ['a negative age', () => keys.prune({ olderThanMs: -1 }), RangeError, /"olderThanMs"/],
    [
      'a key id that is no text',
      () => keys.revoke(7 as never),
      TypeError,
      /the key id must be a string/,
    ],
    [
      'a user of null in an update',
      () => keys.update('x', { user: null } as never),
      TypeError,
      /"user" must be a string/,
    ],
    ['scopes of null', () => keys.update('x', { scopes: null as never }), TypeError, /"scopes"/],
  ])('%s -> refused by name', async (_what, act, type, message) => {
    const error = await errorOf(act);
    expect(error).toBeInstanceOf(type);
    expect(error.message).toMatch(message);
  });

  it('an unknown key id -> unknown_key_id, which get answers with undefined', async () => {
    for (const act of [
      () => keys.update('x', {}),
      () => keys.rotate('x'),
      () => keys.revoke('x'),
    ]) {
      const error = await errorOf(act);
      expect(error).toBeInstanceOf(KeyStoreError);
      expect(error).toMatchObject({ code: 'unknown_key_id' });
    }
    expect(await keys.get('x')).toBeUndefined();
  });

  it('a family -> revoked together', async () => {
    const other = new ApiKeyManager({ store: new MemoryKeyStore() });
    const first = await other.create({ user: 'alice' });
    const second = await other.rotate(first.record.keyId);
    const revoked = await other.revoke(second.record.keyId, { family: true });
    expect(revoked.map(({ keyId }) => keyId)).toEqual([second.record.keyId, first.record.keyId]);
    expect(await other.verify(first.key)).toMatchObject({ code: 'revoked_api_key' });
    expect(await other.prune({ olderThanMs: 60_000 })).toBe(0);
  });
});

function circle(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}

import { describe, expect, it, vi } from 'vitest';
import { requireApiKey } from '../../src/index.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';
import { anySource, thenable } from '../support/any-source.js';

vi.spyOn(console, 'error').mockImplementation(() => {});

const goodKey = sampleKey('good');
const present = { 'X-API-Key': goodKey };
const later = new Date(Date.now() + 3_600_000);
const earlier = new Date(Date.now() - 1);
const created = new Date(Date.now() - 3_600_000);
const whole = {
  keyId: 'key_0123456789',
  user: 'alice',
  scopes: ['audio:write'],
  name: 'laptop',
  createdAt: created,
  expiresAt: later,
  metadata: { team: 'audio' },
};

const admitted: readonly (readonly [
  shape: string,
  answer: unknown,
  seen: Record<string, unknown>,
])[] = [
  ['{ ok: true, apiKey }', { ok: true, apiKey: { ...whole, source: 'answers' } }, whole],
  ['an identity with all its members', whole, whole],
  ['an identity of a user alone', { user: 'alice' }, { user: 'alice', scopes: [], metadata: {} }],
  [
    'an identity whose other members are undefined',
    { user: 'alice', name: undefined },
    { user: 'alice', scopes: [] },
  ],
  ['a user name', 'alice', { user: 'alice', scopes: [], metadata: {} }],
  ['true', true, { user: expect.stringMatching(/./), scopes: [], metadata: {} }],
];

const unknown: readonly (readonly [shape: string, answer: unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['false', false],
  ['{ ok: false, code: invalid_api_key }', { ok: false, code: 'invalid_api_key' }],
];

const ended: readonly (readonly [shape: string, answer: unknown, code: string])[] = [
  [
    '{ ok: false, code: expired_api_key }',
    { ok: false, code: 'expired_api_key' },
    'expired_api_key',
  ],
  [
    '{ ok: false, code: revoked_api_key }',
    { ok: false, code: 'revoked_api_key' },
    'revoked_api_key',
  ],
  ['an identity past its expiresAt', { user: 'alice', expiresAt: earlier }, 'expired_api_key'],
  [
    '{ ok: true, apiKey } past its expiresAt',
    { ok: true, apiKey: { ...whole, source: 'answers', expiresAt: earlier } },
    'expired_api_key',
  ],
];

const nonsense: readonly (readonly [shape: string, answer: unknown])[] = [
  ['0', 0],
  ['1', 1],
  ['NaN', Number.NaN],
  ['a bigint', 1n],
  ['a symbol', Symbol('alice')],
  ['a function', () => 'alice'],
  ['an empty string', ''],
  ['an empty array', []],
  ['an array of users', ['alice']],
  ['an empty object', {}],
  ['a date', new Date()],
  ['a buffer', Buffer.from('alice')],
  ['a Map', new Map([['user', 'alice']])],
  ['an error', new Error('not found')],
  ['the rows of a query', { rows: [{ user: 'alice' }], rowCount: 1 }],
  ['a user that is empty', { user: '' }],
  ['a user that is a number', { user: 42 }],
  ['a user that is null', { user: null }],
  ['a user that is an object', { user: { name: 'alice' } }],
  ['scopes that are a string', { user: 'alice', scopes: 'audio:write' }],
  ['scopes that are numbers', { user: 'alice', scopes: [1] }],
  ['an expiresAt that is no date', { user: 'alice', expiresAt: 'never' }],
  ['an expiresAt that is an invalid date', { user: 'alice', expiresAt: new Date(Number.NaN) }],
  ['an expiresAt that is NaN', { user: 'alice', expiresAt: Number.NaN }],
  ['a keyId that is a number', { user: 'alice', keyId: 42 }],
  ['{ ok: true } without an identity', { ok: true }],
  ['{ ok: true } with an empty identity', { ok: true, apiKey: {} }],
  ['{ ok: true } with a name for an identity', { ok: true, apiKey: 'alice' }],
  ['{ ok: true } with the identity beside it', { ok: true, user: 'alice' }],
  ['{ ok: false } without a code', { ok: false }],
  ['{ ok: false } with a code of no source', { ok: false, code: 'insufficient_scope' }],
  ['{ ok: false } with a code that is inherited', { ok: false, code: 'constructor' }],
  ['{ ok: false } with an identity', { ok: false, user: 'alice' }],
  ['{ ok: false, apiKey }', { ok: false, apiKey: { ...whole, source: 'answers' } }],
  ['{ ok: undefined, user }', { ok: undefined, code: 'invalid_api_key' }],
  ['{ ok: 1, apiKey }', { ok: 1, apiKey: { ...whole, source: 'answers' } }],
];

const known = (key: string): string | undefined => (key === goodKey ? 'alice' : undefined);

type Give = (answer: unknown) => unknown;
const manners: readonly (readonly [manner: string, give: Give])[] = [
  ['at once', (answer) => answer],
  ['by a promise', async (answer) => Promise.resolve(answer)],
  [
    'by a thenable of its own',
    (answer) =>
      thenable((resolve) => {
        resolve(answer);
      }),
  ],
];

describe.each(expressVersions)('what a source answers, on $version', ({ express }) => {
  describe.each(manners)('%s', (_manner, give) => {
    it.each(admitted)(
      'the source answers %s -> the request is admitted',
      async (_shape, answer, seen) => {
        const source = anySource(() => give(answer));
        const app = await guardedApp(express, { guard: requireApiKey({ source }) });

        expect((await app.get(present)).status).toBe(200);
        expect(app.lastRequest().apiKey).toMatchObject(seen);
      },
    );

    it.each(unknown)('%s -> refused as unknown', async (_shape, answer) => {
      const source = anySource(() => give(answer));
      const app = await guardedApp(express, { guard: requireApiKey({ source }) });

      expectRefused(await app.get(present), { status: 401, code: 'invalid_api_key' });
    });

    it.each(unknown)('%s -> the next source is asked', async (_shape, answer) => {
      const source = [anySource(() => give(answer)), anySource(() => give('alice'))];
      const app = await guardedApp(express, { guard: requireApiKey({ source }) });

      expect((await app.get(present)).status).toBe(200);
      expect(app.lastRequest().apiKey?.user).toBe('alice');
    });

    it.each(ended)('%s -> the search ends there', async (_shape, answer, code) => {
      const next = vi.fn(() => 'alice');
      const source = [anySource(() => give(answer)), anySource(next)];
      const app = await guardedApp(express, { guard: requireApiKey({ source }) });

      expectRefused(await app.get(present), { status: 401, code });
      expect(next).not.toHaveBeenCalled();
    });

    it.each(nonsense)(
      'the source answers %s, which has no meaning -> a fault, 503',
      async (_shape, answer) => {
        const source = anySource(() => give(answer));
        const app = await guardedApp(express, { guard: requireApiKey({ source }) });

        expectRefused(await app.get(present), { status: 503, code: 'key_source_failed' });
      },
    );

    it('the first source knows the key -> no other is asked', async () => {
      const next = vi.fn(() => 'bob');
      const source = [anySource(() => give('alice')), anySource(next)];
      const app = await guardedApp(express, { guard: requireApiKey({ source }) });

      await app.get(present);

      expect(app.lastRequest().apiKey?.user).toBe('alice');
      expect(next).not.toHaveBeenCalled();
    });

    it('a source object -> verify is called on it, and its name is the source of the identity', async () => {
      const source = {
        name: 'my table',
        user: 'alice',
        verify(this: { user: string }) {
          return give(this.user);
        },
      };
      const app = await guardedApp(express, {
        guard: requireApiKey({ source: anySource(source) }),
      });

      await app.get(present);

      expect(app.lastRequest().apiKey).toMatchObject({ user: 'alice', source: 'my table' });
    });
  });

  it('a source that answers at once -> the handler has run before the guard returns', async () => {
    let ranWithin: boolean | undefined;
    const app = await guardedApp(express, {
      before: [
        (_req, _res, next) => {
          next();
          ranWithin = app.handler.mock.calls.length === 1;
        },
      ],
      guard: requireApiKey({ source: [() => undefined, () => 'alice'] }),
    });

    expect((await app.get(present)).status).toBe(200);
    expect(ranWithin).toBe(true);
  });

  it('one source of two not configured -> the other decides', async () => {
    const unset = { verify: () => undefined, configured: () => false };
    const app = await guardedApp(express, { guard: requireApiKey({ source: [unset, known] }) });

    expect((await app.get(present)).status).toBe(200);
    expectRefused(await app.get(), { status: 401, code: 'missing_api_key', earlierRuns: 1 });
    expectRefused(await app.get({ 'X-API-Key': 'x' }), {
      status: 401,
      code: 'invalid_api_key',
      earlierRuns: 1,
    });
  });

  it('no source configured any more, or only then -> each request is answered by what holds for it', async () => {
    let configured = false;
    const source = { verify: () => 'alice', configured: () => configured };
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    expectRefused(await app.get(present), { status: 503, code: 'api_key_not_configured' });
    configured = true;
    expect((await app.get(present)).status).toBe(200);
  });

  it('configured() that throws -> 503', async () => {
    const source = {
      verify: () => 'alice',
      configured: (): boolean => {
        throw new Error('no such table');
      },
    };
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    for (const headers of [{}, present]) {
      const reply = await app.get(headers);
      expect(reply.status).toBe(503);
      expect(reply.handlerRuns).toBe(0);
    }
  });

  it('an expiresAt ahead of now -> admitted; reached -> expired, to the millisecond', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    try {
      const source = anySource(() => ({ user: 'alice', expiresAt: new Date(2_000_000) }));
      const app = await guardedApp(express, { guard: requireApiKey({ source }) });

      vi.setSystemTime(1_999_999);
      expect((await app.get(present)).status).toBe(200);
      vi.setSystemTime(2_000_000);
      expectRefused(await app.get(present), {
        status: 401,
        code: 'expired_api_key',
        earlierRuns: 1,
      });
    } finally {
      vi.useRealTimers();
    }
  });
});

import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  apiKeyOf,
  envKey,
  envKeyList,
  keyList,
  requireApiKey,
  requireScopes,
} from '../../src/index.js';
import { anySource } from '../support/any-source.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey, sha256Hex } from '../support/sample-key.js';

const goodKey = sampleKey('good');
const present = { 'X-API-Key': goodKey };
const withScopes =
  (...scopes: string[]) =>
  (key: string) =>
    key === goodKey ? { user: 'alice', keyId: 'alice#1', scopes } : undefined;
const lacking = { status: 403, code: 'insufficient_scope' } as const;

describe.each(expressVersions)('scopes on $version', ({ express }) => {
  it.each([
    ['none needed, none held', [], []],
    ['one needed and held', ['a'], ['a']],
    ['two needed and held in another order', ['a', 'b'], ['b', 'c', 'a']],
  ])('%s -> admitted', async (_what, scopes, held) => {
    const guard = requireApiKey({ source: withScopes(...held), scopes });
    const app = await guardedApp(express, { guard });

    expect((await app.get(present)).status).toBe(200);
  });

  const refused: readonly (readonly [
    what: string,
    scopes: readonly string[],
    held: readonly string[],
  ])[] = [
    ['one needed, none held', ['a'], []],
    ['two needed, one held', ['a', 'b'], ['a']],
    ['a scope in another case', ['audio:write'], ['Audio:Write']],
    ['a scope that begins alike', ['audio:write'], ['audio']],
    ['a scope that goes on', ['audio'], ['audio:write']],
    ['a wildcard', ['audio:write'], ['*']],
    ['a wildcard after the colon', ['audio:write'], ['audio:*']],
    ['two scopes in one', ['a', 'b'], ['a:b', 'a+b']],
    ['a name that every array inherits', ['length'], []],
  ];

  it.each(refused)('%s -> 403 from requireApiKey', async (_what, scopes, held) => {
    const guard = requireApiKey({ source: withScopes(...held), scopes: [...scopes] });
    const app = await guardedApp(express, { guard });

    expectRefused(await app.get(present), lacking);
  });

  it.each(refused)('%s -> 403 from requireScopes', async (_what, scopes, held) => {
    const [first = '', ...others] = scopes;
    const app = await guardedApp(express, {
      before: [requireApiKey({ source: withScopes(...held) })],
      guard: requireScopes(first, ...others),
    });

    expectRefused(await app.get(present), lacking);
  });

  it('requireScopes behind an app-wide guard, scopes held -> admitted', async () => {
    const app = await guardedApp(express, {
      before: [requireApiKey({ source: withScopes('a', 'b', 'c') })],
      guard: [requireScopes('a', 'b'), requireScopes('c')],
    });

    expect((await app.get(present)).status).toBe(200);
  });

  it('requireScopes where no guard ran -> the handler does not run', async () => {
    const app = await guardedApp(express, { guard: requireScopes('a') });

    const reply = await app.get(present);

    expect(reply.handlerRuns).toBe(0);
    expect(reply.status).toBeGreaterThanOrEqual(400);
  });

  it('requireScopes behind an optional guard and no key -> the handler does not run', async () => {
    const guard = [requireApiKey({ source: withScopes('a'), optional: true }), requireScopes('a')];
    const app = await guardedApp(express, { guard });

    const reply = await app.get();

    expect(reply.handlerRuns).toBe(0);
    expect([401, 403]).toContain(reply.status);
    expect((await app.get(present)).status).toBe(200);
  });

  it('a key without the scope and an unknown key -> 403 and 401', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: withScopes(), scopes: ['a'] }),
    });

    expectRefused(await app.get(present), lacking);
    expectRefused(await app.get({ 'X-API-Key': 'x' }), { status: 401, code: 'invalid_api_key' });
  });

  it('an expired key without the scope -> expired', async () => {
    const source = anySource(() => ({ user: 'alice', scopes: [], expiresAt: new Date(0) }));
    const app = await guardedApp(express, { guard: requireApiKey({ source, scopes: ['a'] }) });

    expectRefused(await app.get(present), { status: 401, code: 'expired_api_key' });
  });

  it('scopes that a handler pushes onto its identity -> it throws, the next request is as before', async () => {
    const held = ['a'];
    const source = anySource(() => ({ user: 'alice', scopes: held }));
    const app = await guardedApp(express, {
      guard: [requireApiKey({ source })],
      answer: (req, res) => {
        expect(() => (apiKeyOf(req).scopes as string[]).push('b')).toThrow(TypeError);
        res.end();
      },
    });

    expect((await app.get(present)).status).toBe(200);
    expect(held).toEqual(['a']);
    expect(Object.isFrozen(held)).toBe(false);
  });
});

function readApiKey(req: Parameters<typeof apiKeyOf>[0]): void {
  apiKeyOf(req);
}

const members = ['keyId', 'user', 'scopes', 'source', 'name', 'createdAt', 'expiresAt', 'metadata'];

describe.each(expressVersions)('the identity on $version', ({ express }) => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  const cases = [
    ['a variable', () => envKey('TEST_IDENTITY_KEY')],
    ['a list in a variable', () => envKeyList('TEST_IDENTITY_KEYS')],
    ['a list in code', () => keyList({ alice: goodKey })],
    ['a digest in code', () => keyList({ alice: `sha256:${sha256Hex(goodKey)}` })],
    ['a function', () => withScopes('a')],
    [
      'a row with more columns than it should have',
      () =>
        anySource(() => ({
          user: 'alice',
          api_key: goodKey,
          key: goodKey,
          presentedKey: goodKey,
          digest: `sha256:${sha256Hex(goodKey)}`,
          hash: sha256Hex(goodKey),
        })),
    ],
  ] as const;

  it.each(cases)(
    'from %s -> frozen, without the key and without its digest',
    async (_what, source) => {
      vi.stubEnv('TEST_IDENTITY_KEY', goodKey);
      vi.stubEnv('TEST_IDENTITY_KEYS', `alice:${goodKey}`);
      const app = await guardedApp(express, { guard: requireApiKey({ source: source() }) });

      expect((await app.get(present)).status).toBe(200);
      const { apiKey } = app.lastRequest();

      expect(Object.isFrozen(apiKey)).toBe(true);
      expect(Object.isFrozen(apiKey?.scopes)).toBe(true);
      const all = JSON.stringify(apiKey) + inspect(apiKey, { depth: Infinity, showHidden: true });
      expect(all).not.toContain(goodKey);
      expect(all).not.toContain(sha256Hex(goodKey));
      expect(apiKey).toMatchObject({
        keyId: expect.any(String),
        user: expect.any(String),
        scopes: expect.any(Array),
        source: expect.any(String),
        metadata: expect.any(Object),
      });
      expect(members).toEqual(expect.arrayContaining(Object.keys(apiKey ?? {})));
    },
  );

  it('an identity that a source keeps and gives again -> is left as it was', async () => {
    const kept = { user: 'alice', scopes: ['a'], metadata: { team: 'audio' } };
    const app = await guardedApp(express, { guard: requireApiKey({ source: () => kept }) });

    await app.get(present);

    expect(kept).toEqual({ user: 'alice', scopes: ['a'], metadata: { team: 'audio' } });
    expect(Object.isFrozen(kept)).toBe(false);
    expect(Object.isFrozen(kept.metadata)).toBe(false);
  });

  it.each([
    ['the keyId', (presented: string) => ({ user: 'alice', keyId: presented })],
    ['the name', (presented: string) => ({ user: 'alice', name: `key ${presented}` })],
    [
      'the metadata',
      (presented: string) => ({ user: 'alice', metadata: { row: { api_key: presented } } }),
    ],
    ['the user', (presented: string) => ({ user: presented })],
    [
      'the keyId, as its digest',
      (presented: string) => ({ user: 'alice', keyId: sha256Hex(presented) }),
    ],
    [
      'the metadata, as its digest',
      (presented: string) => ({
        user: 'alice',
        metadata: { digest: `sha256:${sha256Hex(presented)}` },
      }),
    ],
  ])(
    'a source that puts the presented key into %s -> no handler sees it there',
    async (_where, source) => {
      vi.spyOn(console, 'error').mockImplementation(() => {});
      const app = await guardedApp(express, { guard: requireApiKey({ source }) });

      const reply = await app.get(present);

      for (const text of [
        reply.text,
        ...app.handler.mock.calls.map(([req]) => JSON.stringify(req.apiKey)),
      ]) {
        expect(text).not.toContain(goodKey);
        expect(text).not.toContain(sha256Hex(goodKey));
      }
    },
  );

  it('two requests at once, answered in reverse order -> each has its own identity', async () => {
    const users: Readonly<Record<string, string>> = { first: 'alice', second: 'bob' };
    const answers = new Map<string, (answer: unknown) => void>();
    const source = anySource(
      async (presented) =>
        new Promise((resolve) => {
          answers.set(presented, resolve);
          if (answers.size === 2)
            for (const key of ['second', 'first']) answers.get(key)?.(users[key]);
        }),
    );
    const app = await guardedApp(express, {
      guard: requireApiKey({ source }),
      answer: (req, res) => {
        res.json([req.get('X-API-Key'), apiKeyOf(req).user]);
      },
    });

    const [first, second] = await Promise.all(
      ['first', 'second'].map(async (sent) => app.get({ 'X-API-Key': sent })),
    );

    expect([first?.text, second?.text]).toEqual(['["first","alice"]', '["second","bob"]']);
  });

  it('apiKeyOf behind a guard -> the same identity as req.apiKey', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: withScopes('a') }),
      answer: (req, res) => {
        res.json({ same: apiKeyOf(req) === req.apiKey, user: apiKeyOf(req).user });
      },
    });

    expect((await app.get(present)).text).toBe('{"same":true,"user":"alice"}');
  });

  it('apiKeyOf where no guard ran, or none found a key -> throws', async () => {
    const open = await guardedApp(express, { answer: readApiKey });
    const optional = await guardedApp(express, {
      guard: requireApiKey({ source: withScopes('a'), optional: true }),
      answer: readApiKey,
    });

    for (const app of [open, optional]) {
      expect((await app.get()).status).toBe(500);
      expect(app.errors[0]).toBeInstanceOf(Error);
    }
  });

  it('two guards -> the identity of the last one', async () => {
    const app = await guardedApp(express, {
      before: [requireApiKey({ source: { name: 'first', verify: () => 'alice' } })],
      guard: requireApiKey({
        source: { name: 'second', verify: () => 'bob' },
        header: 'X-Second-Key',
      }),
      answer: (req, res) => {
        res.json([req.apiKey?.user, req.apiKey?.source, apiKeyOf(req).user]);
      },
    });

    const reply = await app.get({ ...present, 'X-Second-Key': goodKey });

    expect(reply.text).toBe('["bob","second","bob"]');
    expectRefused(await app.get(present), {
      status: 401,
      code: 'missing_api_key',
      challenge: 'ApiKey realm="api", header="X-Second-Key"',
      vary: 'X-Second-Key',
      earlierRuns: 1,
    });
  });

  it('two guards, scopes held by the first alone -> 403', async () => {
    const app = await guardedApp(express, {
      before: [requireApiKey({ source: withScopes('a') })],
      guard: [requireApiKey({ source: () => ({ user: 'bob', scopes: [] }) }), requireScopes('a')],
    });

    expectRefused(await app.get(present), lacking);
  });

  it('an optional key: none -> no req.apiKey; a good one -> req.apiKey; a bad one -> refused', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: withScopes(), optional: true }),
    });

    expect((await app.get()).status).toBe(200);
    expect(app.lastRequest().apiKey).toBeUndefined();
    expect((await app.get({ 'X-API-Key': '' })).status).toBe(200);
    expect(app.lastRequest().apiKey).toBeUndefined();
    expect((await app.get(present)).status).toBe(200);
    expect(app.lastRequest().apiKey?.user).toBe('alice');
    for (const bad of ['unknown', 'two words', 'k'.repeat(513)]) {
      expectRefused(await app.get({ 'X-API-Key': bad }), {
        status: 401,
        code: 'invalid_api_key',
        earlierRuns: 3,
      });
    }
  });
});

import { describe, expect, it, vi } from 'vitest';
import { requireApiKey, requireScopes } from '../../src/index.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp, type CreateExpress } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';
import { watchUnhandled } from '../support/unhandled.js';

vi.spyOn(console, 'error').mockImplementation(() => {});

const goodKey = sampleKey('good');
const present = { 'X-API-Key': goodKey };
const source = (key: string) =>
  key === goodKey ? { user: 'alice', scopes: ['project:1', 'read'] } : undefined;

const guarded = async (
  express: CreateExpress,
  scopes: ReturnType<typeof requireScopes>,
  options = {},
) => guardedApp(express, { guard: [requireApiKey({ source, ...options }), scopes] });

const fault = { status: 503, code: 'key_source_failed' } as const;
const nonsense: readonly (readonly [string, () => unknown])[] = [
  [
    'throws',
    () => {
      throw new Error('no such project');
    },
  ],
  [
    'throws nothing',
    () => {
      throw undefined;
    },
  ],
  ['returns a promise of good scopes', async () => ['read']],
  ['returns a promise that is rejected', async () => Promise.reject(new Error('down'))],
  ['returns an empty array', () => []],
  ['returns a string', () => 'read'],
  ['returns nothing', () => undefined],
  ['returns true', () => true],
  ['returns a scope with a blank', () => ['read write']],
  ['returns a hole', () => Array.from({ length: 1 })],
  ['returns a set', () => new Set(['read'])],
];

describe.each(expressVersions)('scopes from the request, on $version', ({ express }) => {
  it('a function of the request -> decides by what it returns for that request', async () => {
    const app = await guarded(
      express,
      requireScopes((req) => [`project:${req.url.slice('/hello?id='.length)}`]),
    );
    expect((await app.get(present, '/hello?id=1')).status).toBe(200);
    const refused = await app.get(present, '/hello?id=2');
    expectRefused(refused, { status: 403, code: 'insufficient_scope', earlierRuns: 1 });
    expect(JSON.parse(refused.text)).toMatchObject({
      detail: 'The API key is known but lacks a scope it needs here: project:2.',
    });
  });

  it.each(nonsense)(
    'a function that %s -> 503, the handler does not run',
    async (_what, scopes) => {
      const unhandled = watchUnhandled();
      for (const made of [requireScopes(scopes as never), requireScopes.any(scopes as never)]) {
        const app = await guarded(express, made);
        expectRefused(await app.get(present), fault);
      }
      expect(await unhandled.settled()).toEqual([]);
    },
  );

  it('a request without a key -> 401, and the function is not asked', async () => {
    const scopesFor = vi.fn(() => ['read']);
    const app = await guarded(express, requireScopes(scopesFor), { optional: true });
    expectRefused(await app.get(), { status: 401, code: 'missing_api_key' });
    expect(scopesFor).not.toHaveBeenCalled();
  });

  it.each<[string, string[], number]>([
    ['the first', ['read', 'write'], 200],
    ['the last', ['write', 'read'], 200],
    ['none', ['write', 'admin'], 403],
  ])('requireScopes.any, of which the key has %s -> %3$s', async (_which, scopes, status) => {
    const listed = await guarded(express, requireScopes.any(...scopes));
    const computed = await guarded(
      express,
      requireScopes.any(() => scopes),
    );
    for (const app of [listed, computed]) {
      const reply = await app.get(present);
      expect(reply.status).toBe(status);
      expect(reply.handlerRuns).toBe(status === 200 ? 1 : 0);
      if (status === 403)
        expect(reply.text).toContain('needs one of these scopes here: write admin');
    }
  });
});

it.each([[[]], [[undefined]], [['a b']], [[() => ['a'], 'b']], [['a', () => ['b']]]])(
  'requireScopes and requireScopes.any of %o -> a TypeError',
  (scopes) => {
    expect(() => requireScopes(...(scopes as [string]))).toThrow(TypeError);
    expect(() => requireScopes.any(...(scopes as [string]))).toThrow(TypeError);
  },
);

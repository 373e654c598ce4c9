import { describe, expect, it, vi } from 'vitest';
import { requireApiKey } from '../../src/index.js';
import { anySource, thenable } from '../support/any-source.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';
import { watchUnhandled } from '../support/unhandled.js';

vi.spyOn(console, 'error').mockImplementation(() => {});

const goodKey = sampleKey('good');
const present = { 'X-API-Key': goodKey };
const fault = { status: 503, code: 'key_source_failed' } as const;
const handOver = (
  error: unknown,
  _req: unknown,
  _res: unknown,
  next: (error: unknown) => void,
): void => {
  next(error);
};
const down = async (): Promise<never> => Promise.reject(new Error('down'));

const thrownValues: readonly (readonly [what: string, value: unknown])[] = [
  ['an error', new Error('connection refused')],
  ['undefined', undefined],
  ['null', null],
  ['false', false],
  ['0', 0],
  ['an empty string', ''],
  ['the word route', 'route'],
  ['the word router', 'router'],
  ['a plain object', { user: 'alice' }],
  [
    'a refusal of another library',
    Object.assign(new Error('nope'), { status: 200, statusCode: 200 }),
  ],
  ['an object without a prototype', Object.create(null)],
  [
    'an object that throws whatever one does with it',
    new Proxy(
      {},
      Object.fromEntries(
        Reflect.ownKeys(Reflect).map((trap) => [
          trap,
          () => {
            throw new Error('do not touch');
          },
        ]),
      ),
    ),
  ],
];

const ways: readonly (readonly [way: string, fail: (value: unknown) => unknown])[] = [
  [
    'thrown',
    (value) => {
      throw value;
    },
  ],
  ['rejected', async (value) => Promise.reject(value)],
];

describe.each(expressVersions)('a source that fails, on $version', ({ express }) => {
  describe.each(ways)('%s', (_way, fail) => {
    it.each(thrownValues)('%s -> 503, the cause kept', async (_what, value) => {
      const unhandled = watchUnhandled();
      const app = await guardedApp(express, {
        guard: [requireApiKey({ source: anySource(() => fail(value)) })],
      });
      const keeping = await guardedApp(express, {
        guard: [requireApiKey({ source: anySource(() => fail(value)), onRefused: handOver })],
      });

      expectRefused(await app.get(present), fault);
      expect((await keeping.get(present)).status).toBe(503);
      expect(keeping.handler).not.toHaveBeenCalled();
      expect((keeping.errors[0] as Error).cause === value).toBe(true);
      expect(await unhandled.settled()).toEqual([]);
    });
  });

  it('thenables that fail in their own ways -> 503', async () => {
    const broken = [
      thenable((_resolve, reject) => {
        reject(undefined);
      }),
      thenable(() => {
        throw new Error('then');
      }),
      new Proxy(Promise.resolve('alice'), {
        get() {
          throw new Error('get then');
        },
      }),
    ];
    for (const answer of broken) {
      const app = await guardedApp(express, {
        guard: requireApiKey({ source: anySource(() => answer) }),
      });
      expectRefused(await app.get(present), fault);
    }
  });

  it('a thenable that answers twice -> the first answer stands, the handler runs once', async () => {
    const answer = thenable((resolve, reject) => {
      resolve('alice');
      resolve('mallory');
      reject(new Error('too late'));
    });
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: anySource(() => answer) }),
    });

    expect((await app.get(present)).handlerRuns).toBe(1);
    expect(app.lastRequest().apiKey?.user).toBe('alice');
  });

  it.each([
    ['before the one that knows the key', (failing: unknown, knows: unknown) => [failing, knows]],
    ['behind the one that knows the key', (failing: unknown, knows: unknown) => [knows, failing]],
  ])('a fault %s -> admitted', async (_where, order) => {
    for (const [, fail] of ways) {
      const failing = anySource(() => fail(new Error('down')));
      const source = order(failing, () => 'alice') as never;
      const app = await guardedApp(express, { guard: requireApiKey({ source }) });
      expect((await app.get(present)).status).toBe(200);
      expect(app.lastRequest().apiKey?.user).toBe('alice');
    }
  });

  it.each([
    ['before', (failing: unknown, other: unknown) => [failing, other]],
    ['behind', (failing: unknown, other: unknown) => [other, failing]],
  ])('a fault %s a source that does not know the key -> 503, not 401', async (_where, order) => {
    for (const [, fail] of ways) {
      const failing = anySource(() => fail(new Error('down')));
      const source = order(failing, () => undefined) as never;
      const app = await guardedApp(express, { guard: requireApiKey({ source }) });
      expectRefused(await app.get(present), fault);
    }
  });

  it('nonsense before a source that knows the key -> admitted; before one that does not -> 503', async () => {
    const strange = anySource(() => 42);
    const knows = await guardedApp(express, {
      guard: requireApiKey({ source: [strange, () => 'alice'] }),
    });
    const doesNot = await guardedApp(express, {
      guard: requireApiKey({ source: [strange, () => false] }),
    });

    expect((await knows.get(present)).status).toBe(200);
    expectRefused(await doesNot.get(present), fault);
  });

  it('a fault before a source that knows the key as revoked -> revoked', async () => {
    const revoked = anySource(() => ({ ok: false, code: 'revoked_api_key' }));
    const app = await guardedApp(express, { guard: requireApiKey({ source: [down, revoked] }) });

    expectRefused(await app.get(present), { status: 401, code: 'revoked_api_key' });
  });

  it('a fault, and no key presented -> missing, as no source is asked', async () => {
    const source = vi.fn(() => {
      throw new Error('down');
    });
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    expectRefused(await app.get(), { status: 401, code: 'missing_api_key' });
    expect(source).not.toHaveBeenCalled();
  });

  it('a fault where a key is optional -> still 503', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: down, optional: true }),
    });

    expectRefused(await app.get(present), fault);
  });
});

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ErrorRequestHandler, Request, Response } from 'express';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ApiKeyManager,
  digestApiKey,
  envKey,
  generateApiKey,
  keyList,
  MemoryKeyStore,
  requireApiKey,
  requireScopes,
  type KeySource,
  type RequireApiKeyOptions,
} from '../../src/index.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { watchUnhandled } from '../support/unhandled.js';

const { key } = generateApiKey();
const lines = [`X-API-Key: ${key}`];

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

describe.each(expressVersions)('ways around the guard, on $version', ({ express }) => {
  const onRefused: Record<string, RequireApiKeyOptions['onRefused']> = {
    'req.next()': (_error, req) => req.next!(),
    'sendFile() of a folder': (_error, _req, res) => res.status(401).sendFile(tmpdir()),
    'download() of a folder': (_error, _req, res) => res.download(tmpdir()),
    'render() without an engine': (_error, _req, res) => res.render('none'),
  };

  it.each(Object.entries(onRefused))(
    'onRefused that calls %s -> the handler stays out of reach',
    async (_what, refused) => {
      const app = await guardedApp(express, {
        guard: requireApiKey({ source: keyList({ alice: key }), onRefused: refused }),
      });
      expect(await app.raw([])).toMatchObject({ handlerRuns: 0 });
    },
  );

  it.each<[what: string, answer: (req: Request, res: Response) => void]>([
    [
      'a file that is not there',
      (_req, res) => res.status(401).sendFile(join(tmpdir(), 'nowhere.html')),
    ],
    ['a folder', (_req, res) => res.status(401).sendFile(tmpdir())],
  ])(
    "an error handler that answers a handed-over refusal with %s -> the request ends, the next route's handler does not run",
    async (_what, answer) => {
      const reached = vi.fn((_req: Request, res: Response) => void res.end());
      const app = await guardedApp(express, {
        guard: requireApiKey({
          source: keyList({ alice: key }),
          onRefused: (error, _q, _s, next) => next(error),
        }),
      });
      app.app.use(((_error, req, res, _next) => answer(req, res)) as ErrorRequestHandler);
      app.app.get('/hello', reached);

      expect(await app.get()).toMatchObject({
        status: expect.toBeOneOf([401, 404]),
        handlerRuns: 0,
      });
      expect(reached).not.toHaveBeenCalled();
    },
  );

  const strict: Record<string, () => KeySource | Promise<KeySource>> = {
    'a subclass of the manager that overrides verify': async () => {
      class Strict extends ApiKeyManager {
        override async verify() {
          return { ok: false, code: 'revoked_api_key' } as const;
        }
      }
      const keys = new Strict({ store: new MemoryKeyStore() });
      await keys.import({ user: 'alice', key });
      return keys;
    },
    'a list whose verify was replaced': () =>
      Object.assign(keyList({ alice: key }), { verify: () => undefined }),
    'a list whose configured was replaced': () =>
      Object.assign(keyList({ alice: key }), { configured: () => false }),
    'a manager whose verify is spied on': async () => {
      const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
      await keys.import({ user: 'alice', key });
      vi.spyOn(keys, 'verify').mockResolvedValue({ ok: false, code: 'expired_api_key' });
      return keys;
    },
  };

  it.each(Object.entries(strict))('%s -> what it says counts', async (_what, open) => {
    const app = await guardedApp(express, { guard: requireApiKey({ source: await open() }) });
    const reply = await app.raw(lines);
    expect([401, 503]).toContain(reply.status);
    expect(reply.handlerRuns).toBe(0);
  });

  it('a method that is replaced after the guard was made -> what it says counts', async () => {
    const source = keyList({ alice: key });
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });
    expect((await app.raw(lines)).status).toBe(200);
    vi.spyOn(source, 'verify').mockReturnValue({ ok: false, code: 'revoked_api_key' });
    expect((await app.raw(lines)).status).toBe(401);
  });

  it('a source that answers with a revoked record -> revoked', async () => {
    const store = new MemoryKeyStore();
    const keys = new ApiKeyManager({ store });
    const record = await keys.import({ user: 'alice', key });
    await keys.revoke(record.keyId);
    const app = await guardedApp(express, {
      guard: requireApiKey({
        source: async (presented) =>
          keys.get((await store.findByDigest(digestApiKey(presented)))!.keyId),
      }),
    });
    expect(JSON.parse((await app.raw(lines)).text)).toMatchObject({ code: 'revoked_api_key' });
  });

  it('an identity that turns into an admission when it is read again -> refused', async () => {
    let reads = 0;
    const answer = { code: 'invalid_api_key', apiKey: { user: 'alice' }, user: 'alice' };
    Object.defineProperty(answer, 'ok', { get: () => reads++ > 0 });
    const app = await guardedApp(express, { guard: requireApiKey({ source: () => answer }) });
    expect(await app.raw(lines)).toMatchObject({ status: 401, handlerRuns: 0 });
  });

  it("a refusal with a reason of the source's own, and a later source that fails -> 503, not 401", async () => {
    const unknowing = () =>
      ({ ok: false, code: 'invalid_api_key', reason: 'no such row' }) as never;
    const failing = () => {
      throw new Error('down');
    };
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: [unknowing, failing] }),
    });
    expect((await app.raw(lines)).status).toBe(503);
  });

  it('a refusal that carries the key and its digest -> neither is in the event', async () => {
    const events: object[] = [];
    const listener = (message: unknown) =>
      events.push({ ...(message as object), request: undefined });
    subscribe('require-api-key:refused', listener);
    onTestFinished(() => void unsubscribe('require-api-key:refused', listener));
    const app = await guardedApp(express, {
      guard: requireApiKey({
        source: (presented) =>
          ({
            ok: false,
            code: 'revoked_api_key',
            keyId: presented,
            user: digestApiKey(presented),
            row: presented,
          }) as never,
      }),
    });
    await app.raw(lines);
    expect(events).toEqual([
      {
        request: undefined,
        code: 'revoked_api_key',
        reason: 'revoked',
        source: 'custom',
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('an optional guard and an identity that nobody vouched for -> taken away', async () => {
    const app = await guardedApp(express, {
      before: [
        (req, _res, next) =>
          next(void Object.assign(req, { apiKey: { user: 'forged', scopes: ['admin'] } })),
      ],
      guard: [
        requireApiKey({ source: keyList({ alice: key }), optional: true }),
        requireScopes('admin'),
      ],
    });
    expect(await app.raw([])).toMatchObject({ status: 401, handlerRuns: 0 });
  });

  it('more lines than Node keeps, with a second key among those dropped -> refused', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: keyList({ alice: key }), optional: true }),
    });
    const filler = Array.from({ length: 2_200 }, () => 'a:');
    for (const sent of [
      [...lines, ...filler, ...lines],
      [...filler, ...lines],
    ]) {
      expect((await app.raw(sent)).handlerRuns).toBe(0);
    }
  });

  it.each([
    ['an accessor on the request', { property: 'apiKey' }],
    ['a response whose setHeader throws', { property: 'setHeader' }],
  ])(
    '%s, behind an asynchronous source -> an error, not the end of the process',
    async (_what, { property }) => {
      const unhandled = watchUnhandled();
      const app = await guardedApp(express, {
        before: [
          (req, res, next) => {
            if (property === 'apiKey')
              Object.defineProperty(req, 'apiKey', { get: () => undefined });
            else {
              const setHeader = res.setHeader.bind(res);
              res.setHeader = ((name: string, value: string) => {
                if (value === 'private') throw new Error('no');
                return setHeader(name, value);
              }) as never;
            }
            next();
          },
        ],
        guard: requireApiKey({ source: async () => 'alice' }),
      });
      expect(await app.raw(lines)).toMatchObject({ status: 500, handlerRuns: 0 });
      expect(await unhandled.settled()).toEqual([]);
    },
  );
});

describe('what would open a guard by mistake', () => {
  class Settings {
    source = keyList({ alice: key });
  }

  it.each([
    ['a promise that was not awaited', Promise.resolve({ scopes: ['a'] })],
    ['a Map', new Map([['scopes', ['a']]])],
    ['a Date', new Date()],
    ['an instance of a class', new Settings()],
    ['inherited options', Object.create({ scopes: ['a'] })],
  ])('%s as options -> a TypeError', (_what, options) => {
    expect(() => requireApiKey(options as never)).toThrow(TypeError);
  });

  it('a sparse array of sources -> a TypeError', () => {
    // oxlint-disable-next-line no-sparse-arrays
    expect(() => requireApiKey({ source: [async () => 'alice', , () => 'bob'] as never })).toThrow(
      TypeError,
    );
  });

  it('options put on every object by other code -> not taken', async () => {
    // oxlint-disable-next-line no-extend-native
    Object.defineProperty(Object.prototype, 'optional', { value: true, configurable: true });
    onTestFinished(() => void delete (Object.prototype as { optional?: true }).optional);
    const guard = requireApiKey({ source: keyList({ alice: key }) });
    const app = await guardedApp(expressVersions[0]!.express, { guard });
    expect(await app.raw([])).toMatchObject({ status: 401, handlerRuns: 0 });
  });

  it('a key in the place of the variable name -> a TypeError that does not hold it', () => {
    for (const value of [key, 'a'.repeat(64), `x${'y'.repeat(64)}`]) {
      expect(() => envKey(value)).toThrow(
        /the name must be the name of an environment variable; received a string of \d+ characters$/,
      );
    }
  });

  it.each([
    ['x', `key_${'x'.repeat(60)}_prod`],
    ['abc_', `${'abc_'.repeat(60)}prod`],
    ['${', '${'.repeat(600_000)],
  ])('a placeholder of many %s -> judged in no time', (_what, value) => {
    try {
      keyList({ alice: value });
    } catch {
      // Whether it may be a key is not the question: one that tries each place anew never ends.
    }
  });
});

import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { ApiKeyError, requireApiKey, respondWithProblem } from '../../src/index.js';
import { anySource } from '../support/any-source.js';
import type { GuardOptions } from '../support/any-source.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';
import { watchUnhandled } from '../support/unhandled.js';

vi.spyOn(console, 'error').mockImplementation(() => {});

type OnRefused = NonNullable<GuardOptions['onRefused']>;
/** `onRefused` as JavaScript callers write it. */
type Loose = (
  error: unknown,
  req: unknown,
  res: Answer,
  next: (argument?: unknown) => void,
) => unknown;
interface Answer {
  status(code: number): Answer;
  json(body: unknown): unknown;
  end(): unknown;
}

const goodKey = sampleKey('good');
const loose = (onRefused: Loose): OnRefused => onRefused as OnRefused;
const handOver: OnRefused = (error, _req, _res, next) => {
  next(error);
};
const unconfigured: GuardOptions['source'] = { verify: () => true, configured: () => false };
const unknownAtOnce = anySource(() => undefined);
const unknownLater = anySource(async () => Promise.resolve(undefined));
const timings = [
  ['a source that answers at once', unknownAtOnce],
  ['a source that answers later', unknownLater],
] as const;

const nextArguments: readonly (readonly [what: string, argument: readonly unknown[]])[] = [
  ['nothing', []],
  ['undefined', [undefined]],
  ['null', [null]],
  ['false', [false]],
  ['0', [0]],
  ['an empty string', ['']],
  ['the word route', ['route']],
  ['the word router', ['router']],
];

describe.each(expressVersions)('onRefused on $version', ({ express }) => {
  it.each([
    ['missing_api_key', 401, {}, {}],
    ['invalid_api_key', 401, {}, { 'X-API-Key': goodKey }],
    ['https_required', 403, { requireHttps: true }, {}],
    ['insufficient_scope', 403, { source: () => 'alice', scopes: ['a'] }, { 'X-API-Key': goodKey }],
    ['key_source_failed', 503, { source: anySource(() => 42) }, { 'X-API-Key': goodKey }],
    ['api_key_not_configured', 503, { source: unconfigured }, {}],
  ] as const)(
    '%s -> it gets an ApiKeyError with status %d',
    async (code, status, options, sent) => {
      const seen: unknown[] = [];
      const onRefused: OnRefused = (error, req, res, next) => {
        seen.push(error, req.method);
        respondWithProblem(error, req, res, next);
      };
      const guard = requireApiKey({ source: unknownAtOnce, ...options, onRefused });
      const app = await guardedApp(express, { guard });

      expectRefused(await app.get(sent), { status, code });
      const [error, method] = seen;
      expect(method).toBe('GET');
      expect(error).toBeInstanceOf(ApiKeyError);
      expect(error).toBeInstanceOf(Error);
      expect(error).toMatchObject({
        code,
        status,
        expose: status < 500,
        message: expect.stringMatching(/\S/),
      });
      const headers = new Headers((error as ApiKeyError).headers);
      expect(headers.get('Cache-Control')).toBe('no-store');
      expect(headers.has('WWW-Authenticate')).toBe(status === 401);
      expect(headers.has('Retry-After')).toBe(status === 503);
      expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(goodKey);
    },
  );

  it.each(timings)(
    'next(error), %s -> the app has the error, Express answers as it says',
    async (_when, source) => {
      const app = await guardedApp(express, {
        guard: requireApiKey({ source, onRefused: handOver }),
      });

      const reply = await app.get({ 'X-API-Key': goodKey });

      expect(app.errors).toHaveLength(1);
      expect(app.errors[0]).toMatchObject({ code: 'invalid_api_key', status: 401 });
      expect(reply.status).toBe(401);
      expect(reply.handlerRuns).toBe(0);
      expect(reply.headers['www-authenticate']).toBe('ApiKey realm="api", header="X-API-Key"');
      expect(reply.headers['cache-control']).toBe('no-store');
    },
  );

  it('next(error) for a fault -> Express answers 503 with Retry-After', async () => {
    const source = anySource(async () => Promise.reject(new Error('down')));
    const app = await guardedApp(express, {
      guard: requireApiKey({ source, onRefused: handOver }),
    });

    const reply = await app.get({ 'X-API-Key': goodKey });

    expect(reply.status).toBe(503);
    expect(reply.handlerRuns).toBe(0);
    expect(reply.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(reply.headers['cache-control']).toBe('no-store');
  });

  it('next(error), and the app answers it with respondWithProblem -> as by default', async () => {
    const app = await guardedApp(express, {});
    const outer = express();
    outer.get('/hello', requireApiKey({ source: unknownAtOnce, onRefused: handOver }), app.handler);
    outer.use(respondWithProblem as never);
    app.app.use('/outer', outer);

    expectRefused(await app.get({ 'X-API-Key': goodKey }, '/outer/hello'), {
      status: 401,
      code: 'invalid_api_key',
    });
  });

  describe.each(timings)('%s', (_when, source) => {
    it.each(nextArguments)(
      'next with %s -> taken as next(error), on the route',
      async (_what, argument) => {
        const onRefused = loose((_error, _req, _res, next) => {
          next(...argument);
        });
        const app = await guardedApp(express, { guard: requireApiKey({ source, onRefused }) });

        const reply = await app.get({ 'X-API-Key': goodKey });

        expect(reply.handlerRuns).toBe(0);
        expect(reply.status).toBe(401);
        expect(app.errors[0]).toMatchObject({ code: 'invalid_api_key' });
      },
    );

    it.each(nextArguments)(
      'next with %s -> taken as next(error), for the whole app',
      async (_what, argument) => {
        const onRefused = loose((_error, _req, _res, next) => {
          next(...argument);
        });
        const app = await guardedApp(express, { before: [requireApiKey({ source, onRefused })] });

        const reply = await app.get({ 'X-API-Key': goodKey });

        expect(reply.handlerRuns).toBe(0);
        expect(reply.status).toBe(401);
        expect(app.errors[0]).toMatchObject({ code: 'invalid_api_key' });
      },
    );

    it.each([
      [
        'throws an error',
        () => {
          throw new Error('in onRefused');
        },
      ],
      [
        'throws undefined',
        () => {
          throw undefined;
        },
      ],
      [
        'throws null',
        () => {
          throw null;
        },
      ],
      [
        'throws an empty string',
        () => {
          throw '';
        },
      ],
      [
        'throws the word route',
        () => {
          throw 'route';
        },
      ],
      ['rejects with an error', async () => Promise.reject(new Error('in onRefused'))],
      ['rejects with undefined', async () => Promise.reject(undefined)],
      ['rejects with the word route', async () => Promise.reject('route')],
    ])('onRefused %s -> answered with an error, the handler does not run', async (_what, fail) => {
      const unhandled = watchUnhandled();
      for (const place of ['guard', 'before'] as const) {
        const guard = requireApiKey({ source, onRefused: loose(fail) });
        const app = await guardedApp(express, { [place]: [guard] });

        const reply = await app.get({ 'X-API-Key': goodKey });

        expect(reply.handlerRuns).toBe(0);
        expect(reply.status).toBeGreaterThanOrEqual(400);
        expect(app.errors).toHaveLength(1);
      }
      expect(await unhandled.settled()).toEqual([]);
    });

    it('onRefused that calls next later -> taken as next(error)', async () => {
      const onRefused = loose((_error, _req, _res, next) => {
        setImmediate(next);
      });
      const app = await guardedApp(express, { guard: requireApiKey({ source, onRefused }) });

      const reply = await app.get({ 'X-API-Key': goodKey });

      expect(reply.status).toBe(401);
      expect(reply.handlerRuns).toBe(0);
    });

    it('onRefused that rejects a promise of another realm -> its error is handed over, nothing is left unhandled', async () => {
      const unhandled = watchUnhandled();
      const onRefused = loose(() => runInNewContext('Promise.reject(new Error("elsewhere"))'));
      const app = await guardedApp(express, { guard: requireApiKey({ source, onRefused }) });

      const reply = await app.get({ 'X-API-Key': goodKey });

      expect(reply.status).toBe(500);
      expect(reply.handlerRuns).toBe(0);
      expect(await unhandled.settled()).toEqual([]);
    });

    it('onRefused that answers and then calls next -> the answer stands, the handler does not run', async () => {
      const unhandled = watchUnhandled();
      const onRefused = loose((_error, _req, res, next) => {
        res.status(418).end();
        next();
      });
      const app = await guardedApp(express, { guard: requireApiKey({ source, onRefused }) });

      const reply = await app.get({ 'X-API-Key': goodKey }).catch(() => undefined);

      expect(reply?.status ?? 418).toBe(418);
      expect(app.handler).not.toHaveBeenCalled();
      expect(await unhandled.settled()).toEqual([]);
    });

    it('onRefused that answers and then rejects -> the answer stands, nothing is left unhandled', async () => {
      const unhandled = watchUnhandled();
      const onRefused = loose(async (_error, _req, res) => {
        res.status(418).end();
        return Promise.reject(new Error('afterwards'));
      });
      const app = await guardedApp(express, { guard: requireApiKey({ source, onRefused }) });

      const reply = await app.get({ 'X-API-Key': goodKey }).catch(() => undefined);

      expect(reply?.status ?? 418).toBe(418);
      expect(app.handler).not.toHaveBeenCalled();
      expect(await unhandled.settled()).toEqual([]);
    });
  });

  it('onRefused that answers by itself -> challenge, no-store and Vary are there all the same', async () => {
    const onRefused = loose((_error, _req, res) => {
      res.status(401).json({ message: 'our own words' });
    });
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: unknownAtOnce, onRefused }),
    });

    const reply = await app.get({ 'X-API-Key': goodKey });

    expect(reply.text).toBe('{"message":"our own words"}');
    expect(reply.headers).toMatchObject({
      'www-authenticate': 'ApiKey realm="api", header="X-API-Key"',
      'cache-control': 'no-store',
      vary: expect.stringMatching(/X-API-Key/i),
    });
  });

  it('an admitted request -> onRefused is not called', async () => {
    const onRefused = vi.fn();
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: () => 'alice', onRefused }),
    });

    expect((await app.get({ 'X-API-Key': goodKey })).status).toBe(200);
    expect(onRefused).not.toHaveBeenCalled();
  });

  it.each([
    ['at once', anySource(() => 'alice')],
    ['later', anySource(async () => Promise.resolve('alice'))],
  ])(
    'a handler that throws, admitted %s -> its own error, not a refusal',
    async (_when, source) => {
      const onRefused = vi.fn();
      const unhandled = watchUnhandled();
      const app = await guardedApp(express, {
        guard: requireApiKey({ source, onRefused }),
        answer: () => {
          throw new Error('in the handler');
        },
      });

      expect((await app.get({ 'X-API-Key': goodKey })).status).toBe(500);
      expect(app.errors).toEqual([new Error('in the handler')]);
      expect(app.handler).toHaveBeenCalledTimes(1);
      expect(onRefused).not.toHaveBeenCalled();
      expect(await unhandled.settled()).toEqual([]);
    },
  );
});

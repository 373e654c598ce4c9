import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { requireApiKey } from '../../src/index.js';
import { anySource, pendingSource } from '../support/any-source.js';
import type { Pending } from '../support/any-source.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp, rawRequest } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';
import { watchUnhandled } from '../support/unhandled.js';

vi.spyOn(console, 'error').mockImplementation(() => {});

const goodKey = sampleKey('good');
const present = { 'X-API-Key': goodKey };
const fault = { status: 503, code: 'key_source_failed' } as const;
const never = async (): Promise<never> => new Promise<never>(() => {});
const slow = async (answer: unknown): Promise<unknown> =>
  new Promise((resolve) => {
    setTimeout(resolve, 700, answer);
  });

describe.each(expressVersions)('a source that is slow, on $version', ({ express }) => {
  it('no answer within timeoutMs -> 503 with a cause', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: never, timeoutMs: 20 }),
    });
    const keeping = await guardedApp(express, {
      guard: requireApiKey({
        source: never,
        timeoutMs: 20,
        onRefused: (error, _req, _res, next) => {
          next(error);
        },
      }),
    });

    expectRefused(await app.get(present), fault);
    await keeping.get(present);
    expect((keeping.errors[0] as Error).cause).toBeInstanceOf(Error);
  });

  it('two sources, each within timeoutMs but not both together -> 503', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    try {
      let onAsked = () => {};
      const asked = new Promise<void>((resolve) => (onAsked = resolve));
      const first = async () => {
        onAsked();
        return slow(undefined);
      };
      const second = vi.fn(async () => slow('alice'));
      const source = [anySource(first), anySource(second)];
      const app = await guardedApp(express, { guard: requireApiKey({ source, timeoutMs: 1000 }) });

      const reply = app.get(present);
      reply.catch(() => {});
      await asked;
      await vi.advanceTimersByTimeAsync(700);
      expect(second).toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(5000);

      expectRefused(await reply, fault);
    } finally {
      vi.useRealTimers();
    }
  });

  it('a first source that never answers -> 503, although the second would know the key', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: [never, () => 'alice'], timeoutMs: 20 }),
    });

    expectRefused(await app.get(present), fault);
  });

  it.each([
    [
      'answer',
      (look: Pending) => {
        look.resolve('alice');
      },
    ],
    [
      'rejection',
      (look: Pending) => {
        look.reject(new Error('late'));
      },
    ],
    [
      'rejection with nothing',
      (look: Pending) => {
        look.reject(undefined);
      },
    ],
  ])('a late %s after the timeout -> harmless', async (_what, end) => {
    const unhandled = watchUnhandled();
    const look = pendingSource();
    const app = await guardedApp(express, {
      guard: requireApiKey({ source: look.source, timeoutMs: 20 }),
    });

    const reply = await app.get(present);
    end(look);

    expect(await unhandled.settled()).toEqual([]);
    expectRefused(reply, fault);
  });

  it.each([
    [
      'answer',
      (look: Pending) => {
        look.resolve('alice');
      },
    ],
    [
      'refusal',
      (look: Pending) => {
        look.resolve(undefined);
      },
    ],
    [
      'rejection',
      (look: Pending) => {
        look.reject(new Error('late'));
      },
    ],
  ])(
    'a client that hangs up before the %s -> harmless, the next request is served',
    async (_what, end) => {
      const unhandled = watchUnhandled();
      const look = pendingSource();
      const app = await guardedApp(express, {
        guard: requireApiKey({ source: [look.source] }),
      });
      const closed = new Promise<void>((resolve) => {
        look.onAsked = (req) => {
          req.on('close', resolve);
          socket.destroy();
        };
      });
      const socket = connect(app.port, '127.0.0.1');
      socket.write(rawRequest([`X-API-Key: ${goodKey}`]));

      await closed;
      end(look);
      expect(await unhandled.settled()).toEqual([]);

      look.onAsked = () => {
        look.resolve('alice');
      };
      expect((await app.get(present)).status).toBe(200);
    },
  );

  it.each([
    ['admits', 'alice'],
    ['refuses', undefined],
    ['fails', 42],
  ])(
    'a response that was sent by another before the look-up %s -> harmless',
    async (_what, answer) => {
      const unhandled = watchUnhandled();
      const look = pendingSource();
      const app = await guardedApp(express, {
        before: [
          (_req, res, next) => {
            setImmediate(() => res.status(202).end('early'));
            next();
          },
        ],
        guard: requireApiKey({ source: look.source }),
        answer: () => {},
      });

      const reply = await app.get(present);
      look.resolve(answer);

      expect(reply.status).toBe(202);
      expect(await unhandled.settled()).toEqual([]);
    },
  );

  it.each([
    ['admits', 'alice', 1],
    ['refuses', undefined, 0],
    ['fails', 42, 0],
  ])(
    'a response that was begun by another before the look-up %s -> harmless',
    async (_what, answer, runs) => {
      const unhandled = watchUnhandled();
      const look = pendingSource();
      const app = await guardedApp(express, {
        before: [
          (_req, res, next) => {
            next();
            res.status(202).write('begun');
          },
        ],
        guard: requireApiKey({ source: look.source }),
        answer: (_req, res) => {
          res.end();
        },
      });
      look.onAsked = () => {
        look.resolve(answer);
      };

      const reply = app.raw([`X-API-Key: ${goodKey}`]);
      reply.catch(() => {});
      await vi.waitFor(() => {
        look.resolve(answer);
      });

      expect(await unhandled.settled()).toEqual([]);
      expect((await reply).status).toBe(202);
      expect(app.handler).toHaveBeenCalledTimes(runs);
    },
  );
});

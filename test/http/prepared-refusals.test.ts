import type { RequestHandler } from 'express';
import { describe, expect, it } from 'vitest';
import { requireApiKey } from '../../src/index.js';
import { expectRefused, varyOf } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

const present = { 'X-API-Key': sampleKey('unknown') };
const guard = () => requireApiKey({ source: () => undefined });

/** Runs only for requests that carry the header `X-Special`. */
const ifSpecial =
  (change: RequestHandler): RequestHandler =>
  (req, res, next) => {
    if (req.headers['x-special'] === undefined) next();
    else change(req, res, next);
  };
const special = { ...present, 'X-Special': '1' };

describe.each(expressVersions)('the second refusal of a code, on $version', ({ express }) => {
  it('the same request twice -> the same answer, for HEAD without a body', async () => {
    const app = await guardedApp(express, { guard: guard() });

    const [first, second] = [await app.get(present), await app.get(present)];
    const head = await app.send('head', present);

    expectRefused(second, { status: 401, code: 'invalid_api_key' });
    expect(second.text).toBe(first.text);
    expect(head.status).toBe(401);
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(first.text)));
    expect(head.headers['www-authenticate']).toBe(first.headers['www-authenticate']);
  });

  it('another code -> its own answer', async () => {
    const app = await guardedApp(express, { guard: guard() });

    for (let turn = 0; turn < 2; turn++) {
      expectRefused(await app.get(present), { status: 401, code: 'invalid_api_key' });
      expectRefused(await app.get(), { status: 401, code: 'missing_api_key' });
    }
  });

  it('headers set before it for one request alone -> kept there, and in no other answer', async () => {
    const app = await guardedApp(express, {
      before: [
        ifSpecial((_req, res, next) => {
          res.vary('Origin').set('X-Frame-Options', 'DENY').set('Cache-Control', 'public');
          next();
        }),
      ],
      guard: guard(),
    });
    await app.get(present);

    const withHeaders = await app.get(special);
    const without = await app.get(present);

    expectRefused(withHeaders, { status: 401, code: 'invalid_api_key' });
    expect([...varyOf(withHeaders)].toSorted()).toEqual(['origin', 'x-api-key']);
    expect(withHeaders.headers['x-frame-options']).toBe('DENY');
    expect(varyOf(without)).toEqual(['x-api-key']);
    expect(without.headers).not.toHaveProperty('x-frame-options');
  });

  it.each([['route'], ['router'], [undefined], [new Error('no end')]])(
    'a response whose end throws %s -> an error for the app, the handler does not run',
    async (thrown) => {
      const app = await guardedApp(express, {
        before: [
          ifSpecial((_req, res, next) => {
            const end = res.end.bind(res);
            res.end = () => {
              res.end = end;
              throw thrown;
            };
            next();
          }),
          guard(),
        ],
      });
      await app.get(present);

      const reply = await app.get(special);

      expect(reply.status).toBeGreaterThanOrEqual(400);
      expect(reply.handlerRuns).toBe(0);
      expect(app.errors).toEqual([
        thrown instanceof Error ? thrown : expect.objectContaining({ code: 'invalid_api_key' }),
      ]);
    },
  );

  it('the answer has already begun -> an error for the app, each time one of its own', async () => {
    const app = await guardedApp(express, {
      before: [
        ifSpecial((_req, res, next) => {
          res.write('begun');
          next();
        }),
      ],
      guard: guard(),
    });
    await app.get(present);

    for (let turn = 0; turn < 2; turn++) await app.get(special).catch(() => {});

    expect(app.errors).toMatchObject([{ code: 'invalid_api_key' }, { code: 'invalid_api_key' }]);
    expect(app.errors[0]).not.toBe(app.errors[1]);
    expect(app.handler).not.toHaveBeenCalled();
  });
});

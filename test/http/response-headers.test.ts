import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { requireApiKey } from '../../src/index.js';
import { expectRefused, varyOf } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

const goodKey = sampleKey('good');
const present = { 'X-API-Key': goodKey };
const source = (key: string): string | undefined => (key === goodKey ? 'alice' : undefined);

describe.each(expressVersions)('headers of answers behind a guard, on $version', ({ express }) => {
  it('an answer that sets nothing -> varies with the header and is private', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source }) });

    const { headers } = await app.get(present);

    expect(headers['vary']).toBe('X-API-Key');
    expect(headers['cache-control']).toBe('private');
    expect(headers).not.toHaveProperty('www-authenticate');
  });

  it('a key where it is optional, or none -> the same headers', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source, optional: true }) });

    for (const sent of [present, {}]) {
      const reply = await app.get(sent);
      expect(reply.status).toBe(200);
      expect(varyOf(reply)).toEqual(['x-api-key']);
      expect(reply.headers['cache-control']).toBe('private');
    }
  });

  it('a Vary set before the guard -> merged, on admission and on refusal', async () => {
    const app = await guardedApp(express, {
      before: [
        (_req, res, next) => {
          res.vary('Origin');
          next();
        },
      ],
      guard: requireApiKey({ source }),
    });

    for (const reply of [await app.get(present), await app.get()]) {
      expect([...varyOf(reply)].toSorted()).toEqual(['origin', 'x-api-key']);
    }
  });

  it('a Vary that names the header already, in another case -> not named twice', async () => {
    const app = await guardedApp(express, {
      before: [
        (_req, res, next) => {
          res.set('Vary', 'Origin, x-api-key');
          next();
        },
      ],
      guard: requireApiKey({ source }),
    });

    expect([...varyOf(await app.get(present))].toSorted()).toEqual(['origin', 'x-api-key']);
  });

  it('a Vary of several lines -> each of them kept', async () => {
    const app = await guardedApp(express, {
      before: [
        (_req, res, next) => {
          res.setHeader('Vary', ['Origin', 'Accept']);
          next();
        },
      ],
      guard: requireApiKey({ source }),
    });

    expect([...varyOf(await app.get(present))].toSorted()).toEqual([
      'accept',
      'origin',
      'x-api-key',
    ]);
  });

  it('the app has set Vary: * -> it stays, and nothing is added', async () => {
    const app = await guardedApp(express, {
      before: [
        (_req, res, next) => {
          res.set('Vary', '*');
          next();
        },
      ],
      guard: requireApiKey({ source }),
    });

    expect(varyOf(await app.get(present))).toContain('*');
  });

  it('a handler that adds to Vary -> both are there', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source }),
      answer: (_req, res) => {
        res.vary('Accept').end();
      },
    });

    expect([...varyOf(await app.get(present))].toSorted()).toEqual(['accept', 'x-api-key']);
  });

  it.each([
    ['public, max-age=3600', 'private'],
    ['no-store', 'no-store'],
    ['private, max-age=60', 'private, max-age=60'],
  ])('Cache-Control: %s set before the guard -> %s', async (before, after) => {
    const app = await guardedApp(express, {
      before: [
        (_req, res, next) => {
          res.set('Cache-Control', before);
          next();
        },
      ],
      guard: requireApiKey({ source }),
    });

    expect((await app.get(present)).headers['cache-control']).toBe(after);
  });

  it('a handler that sets Cache-Control -> its own stands', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source }),
      answer: (_req, res) => {
        res.set('Cache-Control', 'no-store').end();
      },
    });

    expect((await app.get(present)).headers['cache-control']).toBe('no-store');
  });

  it('a handler that writes its head by itself -> the headers are there all the same', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source }),
      answer: (_req, res) => {
        res.writeHead(200, { 'X-Own': '1' }).end();
      },
    });

    const reply = await app.get(present);

    expect(varyOf(reply)).toEqual(['x-api-key']);
    expect(reply.headers).toMatchObject({ 'cache-control': 'private', 'x-own': '1' });
  });

  it('a file sent with the defaults of Express -> not left to shared caches', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source }),
      answer: (_req, res) => {
        res.sendFile(fileURLToPath(import.meta.url));
      },
    });

    const reply = await app.get(present);

    expect(reply.status).toBe(200);
    expect(reply.headers['cache-control']).not.toMatch(/public/);
  });

  it('a handler that fails -> the answer still varies with the header', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source }),
      answer: () => {
        throw new Error('in the handler');
      },
    });

    const reply = await app.get(present);

    expect(reply.status).toBe(500);
    expect(varyOf(reply)).toContain('x-api-key');
  });

  it('a Cache-Control set before the guard -> a refusal is no-store all the same', async () => {
    const app = await guardedApp(express, {
      before: [
        (_req, res, next) => {
          res.set('Cache-Control', 'public, max-age=3600');
          next();
        },
      ],
      guard: requireApiKey({ source }),
    });

    expectRefused(await app.get(), { status: 401, code: 'missing_api_key' });
  });

  it('two guards with a header each -> Vary names both', async () => {
    const app = await guardedApp(express, {
      guard: [requireApiKey({ source }), requireApiKey({ source, header: 'X-Second-Key' })],
    });

    const reply = await app.get({ ...present, 'X-Second-Key': goodKey });

    expect([...varyOf(reply)].toSorted()).toEqual(['x-api-key', 'x-second-key']);
  });
});

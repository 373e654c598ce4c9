import express from 'express';
import fc from 'fast-check';
import supertest from 'supertest';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  ApiKeyManager,
  envKey,
  envKeyList,
  generateApiKey,
  keyList,
  requireApiKey,
  type StoredKey,
  type VerifyResult,
} from '../../src/index.js';
import { CountingStore } from '../support/counting-store.js';
import { fuzz, fuzzTimeoutMs } from '../support/fuzz.js';

const { key } = generateApiKey();
const presented = fc.oneof(
  fc.string(),
  fc.constantFrom(key, '', 'undefined', '__proto__', 'sha256', '${X}', ' '),
);

beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
});

describe('any text in the environment', () => {
  const text = fc
    .array(
      fc.oneof(
        fc.string({ maxLength: 10 }),
        fc.constantFrom(
          `alice:${key}`,
          'bob:',
          ':key',
          ',',
          '\n',
          ' ',
          'sha256:',
          '${X}',
          '$env://X',
          '__proto__:',
          '=',
          '"',
        ),
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('').replaceAll('\0', ''));

  it.each([
    ['envKey', envKey],
    ['envKeyList', envKeyList],
  ])(
    '%s -> never throws; a key it admits stands in the text, whole',
    (_name, source) => {
      fc.assert(
        fc.property(text, presented, (value, candidate) => {
          vi.stubEnv('FUZZED', value);
          const made = source('FUZZED');
          const result = made.verify(candidate, undefined as never) as VerifyResult;
          const isListed = value
            .split(/[,\n]/)
            .some((entry) => entry.trim().endsWith(candidate) && candidate !== '');
          if (result.ok) expect(isListed).toBe(true);
          expect(made.configured!() && made.misconfigured!()).toBe(false);
        }),
        fuzz(2_000, 11),
      );
    },
    fuzzTimeoutMs,
  );
});

describe('anything in a list', () => {
  it(
    'keyList -> a source or a TypeError, and never the key in its message',
    () => {
      fc.assert(
        fc.property(
          fc.oneof(
            fc.anything(),
            fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.string()), fc.anything())),
          ),
          (list) => {
            try {
              keyList(list as never).verify(key, undefined as never);
            } catch (error) {
              expect(error).toBeInstanceOf(TypeError);
            }
          },
        ),
        fuzz(1_000, 13),
      );
    },
    fuzzTimeoutMs,
  );
});

describe('anything as options', () => {
  it(
    'requireApiKey -> a handler or a TypeError',
    () => {
      const options = fc.oneof(
        fc.anything(),
        fc.record(
          {
            source: fc.anything(),
            header: fc.oneof(fc.string(), fc.anything()),
            scheme: fc.oneof(fc.string(), fc.anything()),
            scopes: fc.oneof(fc.array(fc.string()), fc.anything()),
            realm: fc.oneof(fc.string(), fc.anything()),
            timeoutMs: fc.oneof(fc.double(), fc.integer(), fc.anything()),
            optional: fc.oneof(fc.boolean(), fc.anything()),
          },
          { requiredKeys: [] },
        ),
      );
      fc.assert(
        fc.property(options, (value) => {
          try {
            expect(requireApiKey(value as never)).toBeTypeOf('function');
          } catch (error) {
            expect(error).toBeInstanceOf(TypeError);
          }
        }),
        fuzz(2_000, 17),
      );
    },
    fuzzTimeoutMs,
  );
});

describe('anything as an answer', () => {
  const wrapped = fc.oneof(
    fc.anything(),
    fc.record(
      {
        ok: fc.oneof(fc.boolean(), fc.anything()),
        code: fc.oneof(
          fc.constantFrom('expired_api_key', 'revoked_api_key', 'invalid_api_key'),
          fc.anything(),
        ),
        apiKey: fc.anything(),
        user: fc.oneof(fc.constant('alice'), fc.anything()),
        scopes: fc.oneof(fc.array(fc.constantFrom('a', 'b')), fc.anything()),
        expiresAt: fc.oneof(fc.date({ noInvalidDate: false }), fc.anything()),
        metadata: fc.anything(),
      },
      { requiredKeys: [] },
    ),
  );

  it(
    'a source -> admitted only as a user who is named, else 401 or 503',
    async () => {
      let answer: unknown;
      const app = express();
      app.get(
        '/',
        requireApiKey({ source: (() => answer) as never, timeoutMs: 500 }),
        (req, res) => void res.json(req.apiKey!.user),
      );
      await fc.assert(
        fc.asyncProperty(wrapped, async (value) => {
          answer = value;
          const { status, body } = await supertest(app).get('/').set('X-API-Key', key);
          if (status === 200) {
            expect(body).not.toBe('');
            expect(JSON.stringify(body)).not.toContain(key);
            const named = [
              value,
              (value as { user?: unknown })?.user,
              (value as { apiKey?: { user?: unknown } })?.apiKey?.user,
            ];
            expect(value === true || named.includes(body)).toBe(true);
          } else {
            expect([401, 503]).toContain(status);
          }
        }),
        fuzz(400, 19),
      );
    },
    fuzzTimeoutMs,
  );

  it(
    'a store -> a key admitted only by a whole record of its own',
    async () => {
      const store = new CountingStore();
      const keys = new ApiKeyManager({ store });
      const created = await keys.create({ user: 'alice', scopes: ['a'] });
      const change = fc.record(
        {
          digest: fc.anything(),
          user: fc.anything(),
          keyId: fc.anything(),
          scopes: fc.anything(),
          metadata: fc.anything(),
          expiresAt: fc.oneof(fc.date({ noInvalidDate: false }), fc.anything()),
          revokedAt: fc.oneof(fc.date({ noInvalidDate: false }), fc.anything()),
          createdAt: fc.anything(),
        },
        { requiredKeys: [] },
      );
      await fc.assert(
        fc.asyncProperty(change, async (changes) => {
          store.alter = (stored) => ({ ...stored, ...changes }) as StoredKey;
          store.watcher?.changed('');
          const result = await keys.verify(created.key).catch(() => undefined);
          if (!result?.ok) return;
          expect(changes.revokedAt ?? undefined).toBeUndefined();
          expect(result.apiKey.user).toBe('user' in changes ? changes.user : 'alice');
          expect('digest' in changes).toBe(false);
          if (changes.expiresAt != null)
            expect((changes.expiresAt as Date).getTime()).toBeGreaterThan(Date.now() - 60_000);
        }),
        fuzz(1_000, 23),
      );
      await keys.close();
    },
    fuzzTimeoutMs,
  );
});

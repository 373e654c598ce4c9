import { afterEach, describe, expect, it, vi } from 'vitest';
import { digestApiKey, requireApiKey } from '../../src/index.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

const key = sampleKey('listed');
const digest = digestApiKey(key);

/** What a client might send in the hope that nothing equals nothing. */
const hopes = [
  [],
  ['X-API-Key:'],
  ['X-API-Key:   '],
  ...[
    'undefined',
    'null',
    '${SECRET}',
    '$env://SECRET',
    '//SECRET',
    '__proto__',
    'constructor',
    '[object Object]',
    ',',
  ].map((value) => [`X-API-Key: ${value}`]),
];

afterEach(() => void vi.unstubAllEnvs());

describe.each(expressVersions)('the hole of the naive check, on $version', ({ express }) => {
  it.each([
    ['unset', undefined, undefined],
    ['empty', '', ''],
    ['blank', ' ', '\n'],
    ['an unresolved ${X}', '${SECRET}', '${KEYS}'],
    ['an unresolved $env://X', '$env://SECRET', '$env://KEYS'],
    ['commas', ',', ',,'],
  ])(
    'variables that are %s -> 503 whatever is sent, and nobody gets in',
    async (_what, one, list) => {
      vi.spyOn(console, 'error').mockImplementation(() => {});
      vi.stubEnv('INTERNAL_API_KEY', one);
      vi.stubEnv('API_KEYS', list);
      const app = await guardedApp(express, { guard: requireApiKey() });
      for (const lines of hopes) {
        const reply = await app.raw(lines);
        expect([reply.status, reply.handlerRuns]).toEqual([503, 0]);
      }
    },
  );

  it.each([
    ['a key', key, `alice:${key}`],
    ['a digest', digest, `alice:${digest}`],
    ['__proto__ as a user', undefined, `__proto__:${key}`],
  ])('variables with %s -> nothing but the key gets in', async (_what, one, list) => {
    vi.stubEnv('INTERNAL_API_KEY', one);
    vi.stubEnv('API_KEYS', list);
    const app = await guardedApp(express, { guard: requireApiKey() });
    for (const lines of [
      ...hopes,
      [`X-API-Key: ${digest}`],
      [`X-API-Key: ${digest.slice(7)}`],
      ['X-API-Key: alice'],
    ]) {
      const reply = await app.raw(lines);
      expect([reply.status, reply.handlerRuns]).toEqual([401, 0]);
    }
    expect((await app.raw([`X-API-Key: ${key}`])).status).toBe(200);
  });

  it('one variable with a key and the other broken -> the key works, all else is 503', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.stubEnv('INTERNAL_API_KEY', key);
    vi.stubEnv('API_KEYS', 'alice');
    const app = await guardedApp(express, { guard: requireApiKey() });
    for (const lines of hopes) expect((await app.raw(lines)).status).toBe(503);
    expect((await app.raw([`X-API-Key: ${key}`])).status).toBe(200);
  });
});

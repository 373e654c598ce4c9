import { afterEach, describe, expect, it, vi } from 'vitest';
import { requireApiKey, requireScopes } from '../../src/index.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

const goodKey = sampleKey('good');
const source = (key: string): { user: string; scopes: string[] } | undefined =>
  key === goodKey ? { user: 'alice', scopes: ['audio:read'] } : undefined;

/** What `requireApiKey` throws for these options; fails the test where it takes them. */
function refusal(options: unknown): unknown {
  try {
    requireApiKey(options as never);
  } catch (error) {
    return error;
  }
  throw new Error('requireApiKey has taken the options');
}

function messageOf(error: unknown): string {
  expect(error).toBeInstanceOf(TypeError);
  return (error as TypeError).message;
}

const wrongValues: readonly (readonly [option: string, values: readonly unknown[]])[] = [
  [
    'source',
    [
      null,
      42,
      true,
      goodKey,
      {},
      { verify: goodKey },
      Symbol('s'),
      [null],
      [42],
      [source, goodKey],
    ],
  ],
  ['header', [null, 42, true, [], [42], {}, '', ' ']],
  [
    'scheme',
    [
      null,
      42,
      true,
      [],
      {},
      '',
      ' ',
      'Bea rer',
      'Bearer ',
      'Bea\r\nrer',
      'Bea"rer',
      'Bea,rer',
      'ключ',
    ],
  ],
  [
    'scopes',
    [
      null,
      42,
      true,
      'audio:write',
      {},
      [42],
      [null],
      [undefined],
      [['audio:write']],
      new Set(['a']),
    ],
  ],
  ['optional', [null, 0, 1, 'true', 'false', '', {}]],
  ['requireHttps', [null, 0, 1, 'true', 'false', '', {}]],
  ['stripHeader', [null, 0, 1, 'true', 'false', '', {}]],
  ['realm', [null, 42, true, {}, ['api']]],
  ['timeoutMs', [null, '5000', true, 0, -1, 0.5, 1.5, 60_001, NaN, Infinity, -Infinity, 5000n]],
  ['onRefused', [null, 42, true, 'next', {}, []]],
];

const wrongOptions = wrongValues.flatMap(([option, values]) =>
  values.map((value) => [option, value, describeValue(value)] as const),
);

function describeValue(value: unknown): string {
  if (value === goodKey) return 'a key';
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Set) return 'a Set';
  if (Array.isArray(value)) return `[${value.map(describeValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{ ${Object.keys(value).join(', ')} }`;
  return typeof value === 'bigint' ? `${String(value)}n` : String(value);
}

describe('options that are checked when requireApiKey is called', () => {
  it.each(wrongOptions)('%s as $2 -> a TypeError that names it', (option, value) => {
    expect(messageOf(refusal({ [option]: value }))).toContain(option);
  });

  it.each(wrongValues)(
    '%s that holds a key by mistake -> the message does not print it',
    (option) => {
      for (const value of [
        goodKey,
        [goodKey],
        { [goodKey]: goodKey },
        { toString: () => goodKey },
      ]) {
        try {
          requireApiKey({ [option]: value });
        } catch (error) {
          const { message, stack } = error as Error;
          expect(message + String(stack)).not.toContain(goodKey);
        }
      }
    },
  );

  it.each([
    ['null', null],
    ['a string', 'X-API-Key'],
    ['a number', 42],
    ['true', true],
    ['an array', [source]],
    ['a function', source],
  ])('%s in place of the options -> a TypeError', (_what, options) => {
    expect(refusal(options)).toBeInstanceOf(TypeError);
  });

  it('a key in place of the options -> a TypeError that does not print it', () => {
    expect(messageOf(refusal(goodKey))).not.toContain(goodKey);
  });

  it.each([
    ['headers', 'header'],
    ['Header', 'header'],
    ['sources', 'source'],
    ['scope', 'scopes'],
    ['schema', 'scheme'],
    ['optionnal', 'optional'],
    ['requireHTTPS', 'requireHttps'],
    ['stripHeaders', 'stripHeader'],
    ['relm', 'realm'],
    ['timeout', 'timeoutMs'],
    ['onrefused', 'onRefused'],
    ['onRefuse', 'onRefused'],
  ])('the unknown option "%s" -> a TypeError that names "%s"', (unknown, nearest) => {
    const message = messageOf(refusal({ [unknown]: 'x' }));

    expect(message).toContain(`"${unknown}"`);
    expect(message).toContain(`"${nearest}"`);
  });

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'the unknown option "%s", which every object inherits -> a TypeError',
    (name) => {
      const options: unknown = JSON.parse(`{ "${name}": {} }`);
      expect(messageOf(refusal(options))).toContain(name);
    },
  );

  it('an unknown option that holds a key -> the message does not print it', () => {
    expect(messageOf(refusal({ apiKey: goodKey }))).not.toContain(goodKey);
  });

  it.each([
    'X API Key',
    'X-API-Key:',
    'X-API-Key ',
    'X-API-Key\r\nX-Other: 1',
    'X-API-Key\n',
    'X(API)Key',
    '"X-API-Key"',
    'X-API-Key,X-Other',
    'X-API-Kéy',
    'X-API-Key\u0000',
  ])('the impossible header name %j -> a TypeError that names the option', (header) => {
    expect(messageOf(refusal({ header }))).toContain('header');
  });

  it.each(['api\r\nSet-Cookie: a=b', 'api\n', 'api\r', 'api\u0000', 'api\u007f', 'ключ'])(
    'the realm %j, which no header can carry -> a TypeError that names the option',
    (realm) => {
      expect(messageOf(refusal({ realm }))).toContain('realm');
    },
  );

  it.each([1, 60_000])('timeoutMs at its edge %d -> taken', (timeoutMs) => {
    expect(requireApiKey({ timeoutMs })).toBeTypeOf('function');
  });

  it('a header name of every character that RFC 9110, 5.6.2 allows -> taken', () => {
    expect(requireApiKey({ header: "X!#$%&'*+-.^_`|~09azAZ" })).toBeTypeOf('function');
  });

  it('scopes that are no strings -> requireScopes throws a TypeError', () => {
    for (const scope of [null, undefined, 42, {}, true]) {
      expect(() => requireScopes(scope as never)).toThrow(TypeError);
    }
  });
});

describe.each(expressVersions)('options on $version', ({ express }) => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('every option undefined, but for source and scopes -> as if absent', async () => {
    const options = Object.fromEntries(
      wrongValues
        .filter(([option]) => option !== 'source' && option !== 'scopes')
        .map(([option]) => [option, undefined]),
    );
    vi.stubEnv('INTERNAL_API_KEY', goodKey);
    const app = await guardedApp(express, { guard: requireApiKey(options) });

    expectRefused(await app.get(), { status: 401, code: 'missing_api_key' });
    expect((await app.get({ 'X-API-Key': goodKey })).status).toBe(200);
  });

  it('no options -> INTERNAL_API_KEY and API_KEYS are the sources, in this order', async () => {
    vi.stubEnv('INTERNAL_API_KEY', goodKey);
    vi.stubEnv('API_KEYS', `bob:${sampleKey('bob')},carol:${goodKey}`);
    const app = await guardedApp(express, { guard: requireApiKey() });

    await app.get({ 'X-API-Key': sampleKey('bob') });
    expect(app.lastRequest().apiKey?.user).toBe('bob');
    await app.get({ 'X-API-Key': goodKey });
    expect(app.lastRequest().apiKey?.user).toBe('default');
    expectRefused(await app.get({ 'X-API-Key': sampleKey('other') }), {
      status: 401,
      code: 'invalid_api_key',
      earlierRuns: 2,
    });
  });

  it('no options and neither variable set -> 503, with a key, without one, and with the word undefined', async () => {
    vi.stubEnv('INTERNAL_API_KEY', undefined);
    vi.stubEnv('API_KEYS', undefined);
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const app = await guardedApp(express, { guard: requireApiKey() });

    for (const headers of [{}, { 'X-API-Key': goodKey }, { 'X-API-Key': 'undefined' }]) {
      expectRefused(await app.get(headers), { status: 503, code: 'api_key_not_configured' });
    }
  });

  it.each(['source', 'scopes'])(
    '%s given as undefined, as out of a misspelled variable -> a TypeError that names it',
    (option) => {
      expect(messageOf(refusal({ [option]: undefined }))).toMatch(
        new RegExp(`"${option}" must be .*; received undefined`),
      );
    },
  );

  it('options frozen all the way down -> taken', async () => {
    const options = Object.freeze({
      source: Object.freeze([source]),
      scopes: Object.freeze(['audio:read']),
    });
    const app = await guardedApp(express, { guard: requireApiKey(options) });

    expect((await app.get({ 'X-API-Key': goodKey })).status).toBe(200);
  });

  it('the options object -> never written to', async () => {
    const options = { source: [source], scopes: ['audio:read'], header: 'X-API-Key' };
    const before = { ...options, source: [...options.source], scopes: [...options.scopes] };
    const app = await guardedApp(express, { guard: requireApiKey(options) });

    await app.get({ 'X-API-Key': goodKey });

    expect(options).toEqual(before);
    expect(Object.isFrozen(options)).toBe(false);
    expect(Object.isFrozen(options.source)).toBe(false);
    expect(Object.isFrozen(options.scopes)).toBe(false);
  });

  it('options changed after the call -> no effect', async () => {
    const scopes = ['audio:write'];
    const sources: ((key: string) => unknown)[] = [source];
    const options: Record<string, unknown> = { source: sources, scopes };
    const app = await guardedApp(express, { guard: requireApiKey(options) });

    scopes.length = 0;
    sources.unshift(() => ({ user: 'mallory', scopes: ['audio:write'] }));
    Object.assign(options, {
      optional: true,
      header: 'X-Other',
      scopes: [],
      source: () => 'mallory',
    });

    expectRefused(await app.get(), { status: 401, code: 'missing_api_key' });
    expectRefused(await app.get({ 'X-API-Key': goodKey }), {
      status: 403,
      code: 'insufficient_scope',
    });
    expectRefused(await app.get({ 'X-API-Key': 'unknown' }), {
      status: 401,
      code: 'invalid_api_key',
    });
  });

  it.each([
    ['on the route', 'guard'],
    ['for the whole app', 'before'],
  ] as const)(
    'requireApiKey not called, %s -> 500, the handler does not run',
    async (_where, place) => {
      const forgotten = requireApiKey as never;
      const app = await guardedApp(express, { [place]: [forgotten] });

      for (const headers of [{}, { 'X-API-Key': goodKey }]) {
        const reply = await app.get(headers);
        expect(reply.status).toBe(500);
        expect(reply.handlerRuns).toBe(0);
        expect(reply.text).not.toContain(goodKey);
      }
      expect(messageOf(app.errors[0])).toContain('requireApiKey()');
    },
  );

  it('requireScopes not called -> 500, the handler does not run', async () => {
    const app = await guardedApp(express, {
      guard: [requireApiKey({ source }), requireScopes as never],
    });

    const reply = await app.get({ 'X-API-Key': goodKey });

    expect(reply.status).toBe(500);
    expect(reply.handlerRuns).toBe(0);
  });

  it('an empty list of sources -> nobody is admitted', async () => {
    let guard;
    try {
      guard = requireApiKey({ source: [] });
    } catch (error) {
      expect(messageOf(error)).toContain('source');
      return;
    }
    const app = await guardedApp(express, { guard });
    expectRefused(await app.get({ 'X-API-Key': goodKey }), {
      status: 503,
      code: 'api_key_not_configured',
    });
  });
});

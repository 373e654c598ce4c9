import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished } from 'vitest';
import { requireApiKey, type HeadersOption } from '../../src/index.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { sampleKey } from '../support/sample-key.js';

const goodKey = sampleKey('good');
const badKey = sampleKey('bad');
const source = (key: string) => (key === goodKey ? 'alice' : undefined);

const schemes: HeadersOption = [
  { name: 'X-Key', scheme: 'ApiKey' },
  { name: 'Authorization', scheme: 'Bearer' },
];
const mixed: HeadersOption = ['X-Key', { name: 'Authorization', scheme: 'Bearer' }];

/**
 * What comes of all combinations: the first header down, the second across. `in` is let in, `-` is
 * a missing key, `401` an invalid one, `2` an invalid one because more than one was presented.
 */
const tables: readonly (readonly [string, HeadersOption, string])[] = [
  [
    'a header without a scheme and one with',
    mixed,
    `
X-Key   absent blank good bad twice other
absent  -      -     in   401 2     -
blank   -      -     in   401 2     -
good    in     in    2    2   2     in
bad     401    401   2    2   2     401
twice   2      2     2    2   2     2
other   401    401   2    2   2     401`,
  ],
  [
    'two headers with a scheme',
    schemes,
    `
X-Key   absent blank good bad twice other
absent  -      -     in   401 2     -
blank   -      -     in   401 2     -
good    in     in    2    2   2     in
bad     401    401   2    2   2     401
twice   2      2     2    2   2     2
other   -      -     in   401 2     -`,
  ],
];

const lines = (name: string, scheme: string, state: string): string[] =>
  ({
    absent: [],
    blank: [`${name}:  `],
    good: [`${name}: ${scheme}${goodKey}`],
    bad: [`${name}: ${scheme}${badKey}`],
    twice: [`${name}: ${scheme}${goodKey}`, `${name}: ${scheme}${goodKey}`],
    other: [`${name}: Basic YWxpY2U6c2VjcmV0`],
  })[state]!;

const combinations = tables.flatMap(([what, header, table]) => {
  const [head, ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.split(/ +/));
  return rows.flatMap(([first, ...cells]) =>
    cells.map((outcome, index) => ({
      what,
      header,
      first: first!,
      second: head![index + 1]!,
      outcome,
    })),
  );
});

/** The reasons that operators are told until the test is over. */
function listen(): unknown[] {
  const reasons: unknown[] = [];
  const keep = (message: unknown) => void reasons.push((message as { reason?: string }).reason);
  subscribe('require-api-key:refused', keep);
  onTestFinished(() => void unsubscribe('require-api-key:refused', keep));
  return reasons;
}

describe.each(expressVersions)('several headers, on $version', ({ express }) => {
  it.each(combinations)(
    '$what: $first X-Key and $second Authorization -> $outcome',
    async ({ header, first, second, outcome }) => {
      const reasons = listen();
      const app = await guardedApp(express, { guard: requireApiKey({ source, header }) });
      const sent = [
        ...lines('X-Key', header === schemes ? 'ApiKey ' : '', first),
        ...lines('Authorization', 'Bearer ', second),
      ];

      const { status, headers, text, handlerRuns } = await app.raw(sent);

      expect(headers['vary']).toBe('X-Key, Authorization');
      expect(handlerRuns).toBe(outcome === 'in' ? 1 : 0);
      expect(status).toBe(outcome === 'in' ? 200 : 401);
      if (outcome === 'in') return;
      const isMissing = outcome === '-';
      expect(JSON.parse(text)).toMatchObject({
        code: isMissing ? 'missing_api_key' : 'invalid_api_key',
      });
      expect(headers['www-authenticate']).toBe(
        `ApiKey realm="api", header="X-Key", Bearer realm="api"${isMissing ? '' : ', error="invalid_token"'}`,
      );
      if (outcome === '2') expect(reasons).toEqual(['repeated_header']);
      else expect(reasons).not.toContain('repeated_header');
    },
  );

  it('nothing presented -> the answer names every place for the key', async () => {
    const app = await guardedApp(express, { guard: requireApiKey({ source, header: mixed }) });
    const { detail } = JSON.parse((await app.get()).text) as { detail: string };
    expect(detail).toBe(
      'Send an API key in the X-Key header, or in the Authorization header, as "Bearer <key>".',
    );
  });

  it('a missing scope -> only the Bearer challenge asks for it', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({ source, header: mixed, scopes: ['a'] }),
    });
    const { status, headers } = await app.get({ 'X-Key': goodKey });
    expect(status).toBe(403);
    expect(headers['www-authenticate']).toBe(
      'Bearer realm="api", error="insufficient_scope", scope="a"',
    );
  });

  it.each([
    [`Bearer ${goodKey}`, undefined],
    ['Basic YWxpY2U6c2VjcmV0', 'Basic YWxpY2U6c2VjcmV0'],
    ['Bearerish abc', 'Bearerish abc'],
  ])(
    'stripHeader with "Authorization: %s" -> only credentials of our scheme are removed',
    async (authorization, left) => {
      const app = await guardedApp(express, {
        guard: [
          requireApiKey({ source, header: mixed, stripHeader: true, optional: true }),
          requireApiKey({ source, header: mixed, optional: true }),
        ],
      });
      const presented = left === undefined ? '' : goodKey;
      const reply = await app.get({ 'X-Key': presented, Authorization: authorization });

      expect(reply.status).toBe(200);
      const req = app.lastRequest();
      expect(req.apiKey?.user).toBe('alice');
      expect(req.headers['x-key']).toBeUndefined();
      expect(req.headers['authorization']).toBe(left);
      expect(req.headersDistinct['authorization']).toEqual(left && [left]);
      expect(req.rawHeaders.includes(authorization)).toBe(left !== undefined);
      expect(req.rawHeaders.join()).not.toContain(goodKey);
    },
  );

  it('stripHeader with our scheme in the second of two lines -> both are removed, and refused', async () => {
    const app = await guardedApp(express, {
      guard: requireApiKey({
        source,
        header: mixed,
        stripHeader: true,
        onRefused: (error, req, res) => {
          res.status(error.status).json(req.rawHeaders);
        },
      }),
    });
    const reply = await app.raw(['Authorization: Basic abc', `Authorization: Bearer ${goodKey}`]);
    expect(reply.status).toBe(401);
    expect(reply.text).not.toContain(goodKey);
  });

  it('Vary set by another, with one of our names -> kept, the missing name added', async () => {
    const app = await guardedApp(express, {
      before: [(_req, res, next) => next(void res.setHeader('Vary', 'Origin, authorization'))],
      guard: requireApiKey({ source, header: mixed }),
    });
    const { headers } = await app.get({ 'X-Key': goodKey });
    expect(headers['vary']).toBe('Origin, authorization, X-Key');
  });
});

describe('the option header', () => {
  const header = (value: unknown) => () => requireApiKey({ source, header: value as never });

  it.each([
    ['an object', { name: 'X-Key' }],
    ['an object with a scheme', { name: 'Authorization', scheme: 'Bearer' }],
    ['an object with an undefined scheme', { name: 'X-Key', scheme: undefined }],
    ['an array of one', ['X-Key']],
    ['an array of three', ['A', { name: 'B' }, { name: 'C', scheme: 'D' }]],
  ])('%s -> taken', (_what, value) => {
    expect(header(value)).not.toThrow();
  });

  it.each([
    ['an empty array', []],
    ['one name twice', ['X-Key', 'X-Key']],
    ['one name twice in other letters', ['X-Key', { name: 'x-key', scheme: 'Bearer' }]],
    ['an array within', [['X-Key']]],
    ['a hole', Array.from({ length: 1 })],
    ['an object without a name', { scheme: 'Bearer' }],
    ['a misspelled scheme', { name: 'X-Key', schema: 'Bearer' }],
    ['a scheme of two words', { name: 'X-Key', scheme: 'Bea rer' }],
    ['a scheme of null', { name: 'X-Key', scheme: null }],
    ['a cookie', ['X-Key', { name: 'Cookie' }]],
  ])('%s -> a TypeError that names the option', (_what, value) => {
    expect(header(value)).toThrow(TypeError);
    expect(header(value)).toThrow('requireApiKey: "header" must be');
  });

  it.each([
    ['an object', { name: 'Authorization' }],
    ['an array', ['Authorization']],
  ])('scheme beside %s -> a TypeError that names scheme', (_what, value) => {
    expect(() => requireApiKey({ source, header: value, scheme: 'Bearer' })).toThrow(
      expect.objectContaining({
        message:
          'requireApiKey: "scheme" must be in the object of its header, { name, scheme }; received a string of 6 characters',
        option: 'scheme',
      }),
    );
  });
});

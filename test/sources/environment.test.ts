import { afterEach, describe, expect, it } from 'vitest';
import {
  digestApiKey,
  envKey,
  envKeyList,
  generateApiKey,
  type KeySource,
  type VerifyResult,
} from '../../src/index.js';
import { collectWarnings, nextTurn } from '../support/warnings.js';

const good = generateApiKey().key;
const other = generateApiKey().key;
const warnings = collectWarnings();

let count = 0;
const set: string[] = [];

/** A variable of its own for each test, so that nothing one test leaves behind can pass another. */
function variable(value?: string): string {
  const name = `TEST_KEYS_${count++}`;
  set.push(name);
  if (value !== undefined) process.env[name] = value;
  return name;
}

afterEach(() => {
  for (const name of set.splice(0)) delete process.env[name];
});

const ask = (source: KeySource, key: string) =>
  source.verify(key, undefined as never) as VerifyResult;

const userOf = (source: KeySource, key: string) => {
  const result = ask(source, key);
  return result.ok ? result.apiKey.user : undefined;
};

describe('envKey', () => {
  it('a variable that holds a key -> that key is known, as default#1', () => {
    const name = variable(good);
    const source = envKey(name);
    expect(ask(source, good)).toMatchObject({
      ok: true,
      apiKey: { keyId: 'default#1', user: 'default', scopes: [], source: `env:${name}` },
    });
    expect(ask(source, other)).toEqual({ ok: false, code: 'invalid_api_key' });
    expect(source.configured!()).toBe(true);
  });

  it('user and scopes given -> they are the identity', () => {
    const source = envKey(variable(good), { user: 'cron', scopes: ['jobs:run'] });
    expect(ask(source, good)).toMatchObject({
      apiKey: { keyId: 'cron#1', user: 'cron', scopes: ['jobs:run'] },
    });
  });

  it('new,old with blanks and a trailing newline -> both keys are known, by their places', () => {
    const source = envKey(variable(` ${good} , ${other}\n`));
    expect(ask(source, good)).toMatchObject({ apiKey: { keyId: 'default#1' } });
    expect(ask(source, other)).toMatchObject({ apiKey: { keyId: 'default#2' } });
  });

  it('a digest in any case of its digits -> the key is known and the digest is not', () => {
    for (const digest of [
      digestApiKey(good),
      digestApiKey(good).replace(/[a-f]/g, (digit) => digit.toUpperCase()),
    ]) {
      const source = envKey(variable(digest));
      expect(userOf(source, good)).toBe('default');
      expect(userOf(source, digest)).toBeUndefined();
      expect(userOf(source, digest.slice(7))).toBeUndefined();
    }
  });

  it.each([
    ['unset', undefined],
    ['empty', ''],
    ['blank', ' \t\n'],
    ['commas alone', ' , ,\n,'],
    ['an unresolved ${X}', '${SECRET}'],
    ['an unresolved $env://X', '$env://SECRET'],
    ['an unresolved expression', '${{ secrets.KEY }}'],
  ])(
    'a variable that is %s -> not configured, and matches nothing, not even itself',
    (_what, value) => {
      const source = envKey(variable(value));
      expect(source.configured!()).toBe(false);
      expect(source.misconfigured!()).toBe(false);
      for (const key of [
        value ?? 'undefined',
        '',
        'undefined',
        'null',
        '__proto__',
        digestApiKey('undefined'),
      ]) {
        expect(userOf(source, key)).toBeUndefined();
      }
    },
  );

  it('an unresolved reference beside a key -> the key works, the reference does not', () => {
    const source = envKey(variable(`${good},\${OLD}`));
    expect(userOf(source, good)).toBe('default');
    expect(userOf(source, '${OLD}')).toBeUndefined();
  });

  it.each([
    ['braces that hold no reference', 'a}b-0123456789-0123456789-0123456789'],
    ['a reference that is not closed', 'a${b-0123456789-0123456789-0123456789'],
    ["a digest's tag further on", 'a-sha256:b-0123456789-0123456789-0123456789'],
  ])('a key with %s -> a key like any other', (_what, value) => {
    expect(userOf(envKey(variable(value)), value)).toBe('default');
  });

  it.each([
    ['sha256: and no digest', 'sha256:abc'],
    ['sha256: and a key', `sha256:${good}`],
    ['sha256: and 66 digits', `${digestApiKey(good)}00`],
    ['a blank inside', 'two words of a key that no header can carry'],
    ['513 characters', 'x'.repeat(513)],
    ['a letter beyond ASCII', 'schlüssel-schlüssel-schlüssel-schlüssel'],
  ])(
    'a key with %s -> misconfigured, told once by place and never by value',
    async (_what, value) => {
      const mark = warnings.mark();
      const name = variable(value);
      const sources = [envKey(name), envKey(name)];
      await nextTurn();
      for (const source of sources) {
        expect(source.misconfigured!()).toBe(true);
        expect(source.configured!()).toBe(false);
        expect(userOf(source, value)).toBeUndefined();
      }
      const told = await warnings.since(mark);
      expect(told).toHaveLength(1);
      expect(told[0]).toMatch(
        new RegExp(`^${name} is not used: entry 1 has|^${name} is not used: entry 1 begins`),
      );
      expect(told[0]).not.toContain(value.slice(7));
    },
  );

  it('a variable that is set after the source was made -> read at first use', async () => {
    const name = variable();
    const source = envKey(name);
    await nextTurn();
    expect(userOf(source, good)).toBeUndefined();
    process.env[name] = good;
    expect(userOf(source, good)).toBe('default');
  });

  it('a variable that changes after it was found set -> the first value stays until restart', async () => {
    const name = variable(good);
    const source = envKey(name);
    await nextTurn();
    process.env[name] = other;
    expect(userOf(source, good)).toBe('default');
    expect(userOf(source, other)).toBeUndefined();
    delete process.env[name];
    expect(userOf(source, good)).toBe('default');
  });

  it.each([
    ['a key under 32 characters', 'short-but-works', /is shorter than 32/],
    [
      'a sample from documentation',
      'your-api-key-goes-here-0123456789abcdef',
      /sample from documentation/,
    ],
    ['another sample', 'CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME', /sample from documentation/],
    ['one letter over and over', 'a'.repeat(40), /sample from documentation/],
  ])('%s -> works, and is warned of once without being printed', async (_what, value, message) => {
    const mark = warnings.mark();
    const name = variable(value);
    const source = envKey(name);
    envKey(name);
    await nextTurn();
    expect(userOf(source, value)).toBe('default');
    const told = await warnings.since(mark);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(message);
    expect(told[0]).not.toContain(value);
  });

  it('a random key of 32 characters, or a digest -> no warning', async () => {
    const mark = warnings.mark();
    envKey(variable('q'.repeat(31).replace(/./g, (_, at: number) => 'Zr8kQ1x9'[at % 8]!) + '7'));
    envKey(variable(digestApiKey('weak')));
    envKey(variable(good));
    await nextTurn();
    expect(await warnings.since(mark)).toEqual([]);
  });

  it.each([undefined, null, '', 'A B', 'A=B', '1A', 7])(
    'the variable name %j -> a TypeError',
    (name) => {
      expect(() => envKey(name as string)).toThrow(
        /^envKey: the name must be the name of an environment v/,
      );
      expect(() => envKeyList(name as string)).toThrow(
        /^envKeyList: the name must be the name of an env/,
      );
    },
  );

  it.each([
    [{ user: '' }],
    [{ user: null }],
    [{ scopes: 'a' }],
    [{ scopes: ['a b'] }],
    [{ users: 'a' }],
  ])('the options %j -> a TypeError', (options) => {
    expect(() => envKey('X', options as object)).toThrow(/^envKey: /);
  });
});

describe('envKeyList', () => {
  it('pairs split by commas and newlines, blanks around them -> each user is known by their key', () => {
    const source = envKeyList(variable(` alice : ${good} ,\n\n bob:${other},\n`), {
      scopes: ['a'],
    });
    expect(ask(source, good)).toMatchObject({
      apiKey: { keyId: 'alice#1', user: 'alice', scopes: ['a'] },
    });
    expect(ask(source, other)).toMatchObject({ apiKey: { keyId: 'bob#1', user: 'bob' } });
  });

  it('a key with colons -> split at the first colon', () => {
    const source = envKeyList(variable('alice:a:b:c-0123456789-0123456789-0123456789'));
    expect(userOf(source, 'a:b:c-0123456789-0123456789-0123456789')).toBe('alice');
    expect(userOf(source, 'c-0123456789-0123456789-0123456789')).toBeUndefined();
  });

  it('a user who stands twice -> both keys work, told apart by place', () => {
    const source = envKeyList(variable(`alice:${good},alice:${other}`));
    expect(ask(source, good)).toMatchObject({ apiKey: { keyId: 'alice#1' } });
    expect(ask(source, other)).toMatchObject({ apiKey: { keyId: 'alice#2' } });
  });

  it('a key as its digest -> the key is known and the digest is not', () => {
    const source = envKeyList(variable(`alice:${digestApiKey(good)}`));
    expect(userOf(source, good)).toBe('alice');
    expect(userOf(source, digestApiKey(good))).toBeUndefined();
  });

  it('a user called __proto__ or constructor -> a user like any other', () => {
    const source = envKeyList(variable(`__proto__:${good},constructor:${other}`));
    expect(userOf(source, good)).toBe('__proto__');
    expect(userOf(source, other)).toBe('constructor');
    for (const key of ['__proto__', 'constructor', 'toString'])
      expect(userOf(source, key)).toBeUndefined();
  });

  it.each([
    ['a pair without a user', `alice:${good},:${other}`, /entry 2 has no user/],
    ['a pair without a colon', `alice:${good},${other}`, /entry 2 has no user/],
    ['a pair without a key', `alice:,bob:${other}`, /entry 1 has no key/],
    [
      'one key under two users',
      `alice:${good},bob:${other},carol:${good}`,
      /entry 3 has the key of another user/,
    ],
    [
      'a key under one user and its digest under another',
      `alice:${good},bob:${digestApiKey(good)}`,
      /entry 2 has the key/,
    ],
    [
      'a digest whose user was forgotten',
      `alice:${good},${digestApiKey(other)}`,
      /entry 2 has a digest but no user/,
    ],
    [
      'its tag in capitals',
      `alice:${good},SHA256:${'a1'.repeat(32)}`,
      /entry 2 has a digest but no user/,
    ],
    [
      'sha256: with anything else behind it',
      `alice:sha256:${other}`,
      /entry 1 begins with "sha256:"/,
    ],
    ['an unresolved key', 'alice:${ALICE_KEY}', /entry 1 has an unresolved reference/],
    ['an unresolved pair before others', `\${BOB},alice:${good}`, /entry 1 has no user/],
    ['an unresolved pair', `alice:${good},\${BOB}`, /entry 2 has no user/],
    ['an unresolved $env pair', `alice:${good},$env://BOB`, /entry 2 has no user/],
    ['an unresolved $env pair that comes first', `$env://BOB,alice:${good}`, /entry 1 has no user/],
  ])(
    '%s -> the whole list is out, told once by position and never by value',
    async (_what, value, message) => {
      const mark = warnings.mark();
      const source = envKeyList(variable(value));
      await nextTurn();
      expect(source.configured!()).toBe(false);
      expect(source.misconfigured!()).toBe(true);
      for (const key of [good, other, '//BOB', '']) expect(userOf(source, key)).toBeUndefined();
      const told = await warnings.since(mark);
      expect(told).toHaveLength(1);
      expect(told[0]).toMatch(message);
      for (const secret of [good, other, 'alice', 'bob', digestApiKey(other)])
        expect(told[0]).not.toContain(secret);
    },
  );

  it('a broken list that is mended without a restart -> still out', async () => {
    const name = variable('alice');
    const source = envKeyList(name);
    await nextTurn();
    process.env[name] = `alice:${good}`;
    expect(source.configured!()).toBe(false);
    expect(userOf(source, good)).toBeUndefined();
  });

  it.each(['${API_KEYS}', ' ${API_KEYS:-none} ', '$env://API_KEYS'])(
    'the reference %j -> as good as unset',
    (value) => {
      const source = envKeyList(variable(value));
      expect(source.configured!()).toBe(false);
      expect(source.misconfigured!()).toBe(false);
      expect(userOf(source, '//API_KEYS')).toBeUndefined();
    },
  );

  it('a wrong option -> a TypeError that names envKeyList', () => {
    expect(() => envKeyList('X', { scopes: 'a' } as never)).toThrow(
      /^envKeyList: "scopes" must be/,
    );
  });

  it('the same pair twice -> one key', () => {
    const source = envKeyList(variable(`alice:${good},alice:${good}`));
    expect(ask(source, good)).toMatchObject({ apiKey: { keyId: 'alice#1' } });
  });
});

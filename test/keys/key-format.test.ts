import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestApiKey, generateApiKey, parseApiKey } from '../../src/index.js';

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const prefixes = fc.stringMatching(/^[a-z][a-z0-9]{0,5}(_[a-z0-9]{1,5}){0,4}$/);

describe('generateApiKey', () => {
  it('without options -> key_, 10 characters of id, 32 of secret, 6 of checksum', () => {
    const { key, keyId, digest } = generateApiKey();
    expect(key).toMatch(/^key_[0-9A-Za-z]{48}$/);
    expect(keyId).toBe(key.slice(0, 14));
    expect(digest).toBe(`sha256:${createHash('sha256').update(key).digest('hex')}`);
  });

  it('any key -> its last six characters are the CRC-32 of all before, in base62 with leading zeros', () => {
    for (let i = 0; i < 200; i++) {
      const { key } = generateApiKey();
      const value = [...key.slice(-6)].reduce((sum, digit) => sum * 62 + base62.indexOf(digit), 0);
      expect(value).toBe(crc32(key.slice(0, -6)));
    }
  });

  it('170 000 random characters -> each of the 62 digits about equally often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 4_000; i++) {
      for (const digit of generateApiKey().key.slice(4, 46))
        counts.set(digit, (counts.get(digit) ?? 0) + 1);
    }
    expect(counts.size).toBe(62);
    const expected = (4_000 * 42) / 62;
    const chiSquared = [...counts.values()].reduce(
      (sum, count) => sum + (count - expected) ** 2 / expected,
      0,
    );
    // 61 degrees of freedom: 130 is passed by chance once in a million runs; byte % 62 alone gives
    // about 460.
    expect(chiSquared).toBeLessThan(130);
    // Six standard deviations: the first digit stands out by twelve where one byte too many is
    // kept.
    expect(Math.max(...counts.values())).toBeLessThan(expected + 6 * Math.sqrt(expected));
  });

  it.each([
    ['Key', 'upper case'],
    ['', 'nothing'],
    ['1key', 'a digit first'],
    ['key_', 'an underscore last'],
    ['a__b', 'two underscores'],
    ['a-b', 'a hyphen'],
    ['a'.repeat(33), '33 characters'],
    [7, 'a number'],
    [null, 'null'],
  ])('the prefix %j (%s) -> a TypeError that names the option', (prefix, _what) => {
    expect(() => generateApiKey({ prefix: prefix as string })).toThrow(TypeError);
    expect(() => generateApiKey({ prefix: prefix as string })).toThrow(
      /^generateApiKey: "prefix" must be lower-case words joined by "_", at most 32 characters/,
    );
  });

  it('a prefix of 32 characters -> accepted and parsed back', () => {
    const prefix = `a${'_b'.repeat(15)}c`;
    expect(prefix).toHaveLength(32);
    expect(parseApiKey(generateApiKey({ prefix }).key)?.prefix).toBe(prefix);
  });

  it('an unknown option -> a TypeError with the nearest known name', () => {
    expect(() => generateApiKey({ prefx: 'key' } as object)).toThrow(/"prefx".*"prefix"/);
  });
});

function withChecksum(body: string): string {
  let rest = crc32(body);
  let checksum = '';
  for (let i = 0; i < 6; i++) {
    checksum = base62[rest % 62] + checksum;
    rest = Math.floor(rest / 62);
  }
  return body + checksum;
}

describe('parseApiKey', () => {
  it('any generated key, whatever its prefix -> its prefix and its key id', () => {
    fc.assert(
      fc.property(prefixes, (prefix) => {
        const { key, keyId } = generateApiKey({ prefix });
        expect(parseApiKey(key)).toEqual({ prefix, keyId });
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('a key with any one character changed -> undefined', () => {
    const { key } = generateApiKey({ prefix: 'my_app' });
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === 'x' ? 'y' : 'x';
      expect(
        parseApiKey(key.slice(0, at) + other + key.slice(at + 1)),
        `position ${at}`,
      ).toBeUndefined();
    }
  });

  it.each([
    ['a blank before', (key: string) => ` ${key}`],
    ['a newline behind', (key: string) => `${key}\n`],
    ['upper case', (key: string) => key.toUpperCase()],
    ['twice', (key: string) => key + key],
    ['the id alone', (key: string) => key.slice(0, 14)],
    ['without its last character', (key: string) => key.slice(0, -1)],
    ['its digest', (key: string) => digestApiKey(key)],
    ['without a prefix', (key: string) => key.slice(4)],
  ])('a key %s -> undefined', (_what, change) => {
    expect(parseApiKey(change(generateApiKey().key))).toBeUndefined();
  });

  it.each([
    ['a prefix of 33 characters', `${'a'.repeat(33)}_${'0'.repeat(42)}`],
    ['something before the prefix', `!key_${'0'.repeat(42)}`],
    ['something behind 48 characters', `key_${'0'.repeat(48)}!`],
    ['a character too few', `key_${'0'.repeat(41)}`],
    ['no prefix', `_${'0'.repeat(42)}`],
  ])('%s with a right checksum -> undefined', (_what, body) => {
    expect(parseApiKey(withChecksum(body))).toBeUndefined();
    expect(parseApiKey(withChecksum(`key_${'0'.repeat(42)}`))).toBeDefined();
  });

  it('a prefix of 32 characters -> parsed', () => {
    expect(parseApiKey(generateApiKey({ prefix: 'a'.repeat(32) }).key)).toBeDefined();
  });

  it('anything at all -> never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(parseApiKey(value)).toBeUndefined();
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});

describe('digestApiKey', () => {
  it('a key -> sha256: and 64 lower-case hexadecimal digits', () => {
    // FIPS 180-4's example message "abc"
    expect(digestApiKey('abc')).toBe(
      'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it.each([undefined, null, '', 7, {}])(
    'digestApiKey of %j, which is no key -> a TypeError',
    (value) => {
      expect(() => digestApiKey(value as string)).toThrow(TypeError);
    },
  );
});

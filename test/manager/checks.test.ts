import { describe, expect, it } from 'vitest';
import { ArgumentError, mustBeString, type Check } from '../../src/lib/options.js';
import {
  assertKeyId,
  mustBeAddresses,
  mustBeInstant,
  mustBeMetadata,
  mustBeNumber,
  mustBeScopeList,
  mustBeText,
  oneOf,
  orNull,
} from '../../src/manager/checks.js';

const metadata = 'a JSON object of at most 10000 characters, none of them NUL';
const addresses =
  'an array of at most 100 IP addresses and CIDR blocks, such as "203.0.113.0/24" or ' +
  '"2001:db8::/48"';
const circular: Record<string, unknown> = {};
circular['itself'] = circular;
const list = (length: number, entry: string) => Array.from({ length }, () => entry);

describe('what a value must be, at its bounds', () => {
  it.each<[string, Check, readonly unknown[], readonly unknown[], string]>([
    [
      'mustBeText',
      mustBeText,
      ['a', 'a'.repeat(256)],
      ['a'.repeat(257)],
      'at most 256 characters long',
    ],
    [
      'mustBeText',
      mustBeText,
      [],
      ['', ' ', 'a\nb', 7, undefined],
      'a string, not blank, without control characters',
    ],
    [
      'mustBeScopeList',
      mustBeScopeList,
      [[], list(100, 'a'), ['a'.repeat(256)]],
      [list(101, 'a'), ['a'.repeat(257)], ['a', 'a'.repeat(257), 'b']],
      'an array of at most 100 scopes, each of at most 256 characters',
    ],
    [
      'mustBeScopeList',
      mustBeScopeList,
      [],
      ['a', ['a b'], [7], undefined],
      'an array of scopes without blanks, quotes or backslashes',
    ],
    [
      'mustBeInstant',
      mustBeInstant,
      [new Date('0001-01-01T00:00:00Z'), new Date('9999-12-31T23:59:59.999Z')],
      [new Date('0000-12-31T23:59:59Z'), new Date('+010000-01-01T00:00:00Z')],
      'a Date in the years 1 to 9999',
    ],
    ['mustBeInstant', mustBeInstant, [], [new Date(Number.NaN), 0, '2030-01-01'], 'a valid Date'],
    [
      'mustBeMetadata',
      mustBeMetadata,
      [{}, { a: 'b'.repeat(10_000 - 8) }, { a: 'é \u1000 \ud7ff \ue000 \ud83d\ude00' }],
      [
        { a: 'b'.repeat(10_000 - 7) },
        { a: '\0' },
        { a: '\ud800' },
        { a: '\udfff' },
        circular,
        { a: 1n },
        [],
        null,
        undefined,
        'a',
        7,
        () => {},
      ],
      metadata,
    ],
    [
      'mustBeAddresses',
      mustBeAddresses,
      [[], ['203.0.113.7', '2001:db8::/48'], list(100, '203.0.113.7')],
      [list(101, '203.0.113.7'), '203.0.113.7', null],
      addresses,
    ],
    ['mustBeNumber', mustBeNumber, [0, 1.5, Number.NaN], ['1', 1n, undefined], 'a number'],
    ['orNull', orNull(mustBeString), [null, 'a'], [undefined, 7], 'a string'],
    ['oneOf', oneOf('a', 'b'), ['a', 'b'], ['c', '', 7, undefined, ['a']], '"a" or "b"'],
  ])('%s -> what it takes, and what it says of the rest', (_name, check, good, bad, expected) => {
    for (const value of good) expect(check(value)).toBeUndefined();
    for (const value of bad) expect(check(value)).toBe(expected);
  });

  it('a wrong address among good ones -> named by its place, not by its value', () => {
    const said = mustBeAddresses(['203.0.113.7', 'secret', '203.0.113.8']);
    expect(said).toMatch(/^an array of at most 100 .*; entry 2 /);
    expect(said).not.toContain('secret');
  });
});

describe('assertKeyId', () => {
  it('a string -> fine', () => {
    expect(() => assertKeyId('get', 'key_1')).not.toThrow();
  });

  it.each([undefined, 7, { keyId: 'key_1' }])('%j -> an error that names the option', (keyId) => {
    const wrong = () => assertKeyId('get', keyId);
    expect(wrong).toThrow(ArgumentError);
    expect(wrong).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /^get: the key id must be a string; received (?:undefined|an? \w+)$/,
        ) as string,
        caller: 'get',
        option: 'keyId',
        expected: 'a string',
      }),
    );
  });
});

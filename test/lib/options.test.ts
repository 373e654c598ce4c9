import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  ArgumentError,
  ArgumentRangeError,
  assertRange,
  checkOptions,
  describe as describeValue,
  isArgumentError,
  isPlainObject,
  mustBeBoolean,
  mustBeHeaderName,
  mustBeInteger,
  mustBeQuotable,
  mustBeString,
  mustBeToken,
  type Check,
} from '../../src/lib/options.js';

interface Options {
  readonly label?: string;
  readonly isOpen?: boolean;
}

const read = (options: unknown, neverUndefined?: readonly ('label' | 'isOpen')[]) =>
  checkOptions<Options>(
    'make',
    options,
    { label: mustBeString, isOpen: mustBeBoolean },
    neverUndefined,
  );

describe('checkOptions', () => {
  it('known options -> a copy without a prototype, and without what is undefined', () => {
    const options = { label: 'a', isOpen: undefined };
    const checked = read(options);
    expect(Object.getPrototypeOf(checked)).toBeNull();
    expect(Object.entries(checked)).toEqual([['label', 'a']]);
    expect(Object.keys(read(undefined))).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['a string', 'label', 'a string of 5 characters'],
    ['an empty string', '', 'an empty string'],
    ['null', null, 'null'],
    ['an array', [1, 2], 'an array of 2'],
    ['a map', new Map(), 'an object'],
    ['a function', () => {}, 'a function'],
    ['no number', Number.NaN, 'NaN'],
  ])('%s in place of options -> an error that names its type', (_what, options, received) => {
    expect(describeValue(options)).toBe(received);
    expect(() => read(options)).toThrow(
      expect.objectContaining({
        message: `make: the options must be a plain object; received ${received}`,
      }),
    );
  });

  it.each<[string, string]>([
    ['lable', 'make: unknown option "lable"; did you mean "label"?'],
    ['isopen', 'make: unknown option "isopen"; did you mean "isOpen"?'],
    ['zzz', 'make: unknown option "zzz"; known are "label", "isOpen"'],
    ['a key in its place', 'make: unknown option; known are "label", "isOpen"'],
  ])('an option called %j -> %s', (name, message) => {
    expect(() => read({ [name]: 'a' })).toThrow(expect.objectContaining({ message }));
  });

  it('a key that has all letters of an option -> nothing is guessed, and it is not repeated', () => {
    const key = `key_${'isOpen'.repeat(9)}`;
    expect(() => read({ [key]: 'a' })).toThrow(
      expect.objectContaining({ message: 'make: unknown option; known are "label", "isOpen"' }),
    );
  });

  it('a name that shares three letters of four -> taken for a slip', () => {
    const named = (name: string) => () =>
      checkOptions('make', { [name]: 1 }, { abcd: mustBeString });
    expect(named('abcx')).toThrow('did you mean "abcd"?');
    expect(named('abxy')).toThrow('known are "abcd"');
  });

  it('a wrong value -> an error with caller, option and what is expected, without the value', () => {
    const wrong = () => read({ label: 7 });
    expect(wrong).toThrow(ArgumentError);
    expect(wrong).toThrow(
      expect.objectContaining({
        message: 'make: "label" must be a string; received a number',
        caller: 'make',
        option: 'label',
        expected: 'a string',
      }),
    );
  });

  it('undefined for an option that may not be it -> an error; absent -> fine', () => {
    expect(() => read({ label: undefined }, ['label'])).toThrow('"label" must be a string');
    expect(Object.keys(read({ isOpen: undefined }, ['label']))).toEqual([]);
    expect(Object.keys(read({ label: undefined }))).toEqual([]);
  });
});

describe('isPlainObject', () => {
  it.each<[string, unknown, boolean]>([
    ['an object', {}, true],
    ['one without a prototype', Object.create(null), true],
    ['one of another realm', runInNewContext('({})'), true],
    ['an instance of a class', new Map(), false],
    ['an object whose prototype is an object', Object.create({}), false],
    ['an object whose prototype has none', Object.create(Object.create(null)), false],
    ['an array', [], false],
    ['null', null, false],
    ['a function', () => {}, false],
    ['a string', 'text', false],
  ])('%s -> %3$s', (_what, value, expected) => {
    expect(isPlainObject(value)).toBe(expected);
  });
});

describe('assertRange', () => {
  it.each([1, 7, 60, undefined])('%j within 1 to 60 -> fine', (value) => {
    expect(() => assertRange('make', 'count', value, 1, 60)).not.toThrow();
  });

  it.each([0, 61, 1.5, Number.NaN])(
    '%j -> an error that names the bounds and the value',
    (value) => {
      const out = () => assertRange('make', 'count', value, 1, 60);
      expect(out).toThrow(ArgumentRangeError);
      expect(out).toThrow(
        expect.objectContaining({
          message: `make: "count" must be an integer from 1 to 60; received ${value}`,
          caller: 'make',
          option: 'count',
          expected: 'an integer from 1 to 60',
        }),
      );
    },
  );

  it('without a value to show -> the message ends before it', () => {
    expect(new ArgumentRangeError('make', 'count', 'less').message).toBe(
      'make: "count" must be less',
    );
  });
});

it.each<[unknown, boolean]>([
  [new ArgumentError('make', 'it is wrong'), true],
  [new ArgumentRangeError('make', 'count', 'less'), true],
  [new TypeError('make: it is wrong'), false],
  [new RangeError('make: it is wrong'), false],
  ['make: it is wrong', false],
])('%s -> an error of the arguments: %s', (error, expected) => {
  expect(isArgumentError(error)).toBe(expected);
});

describe('what a value must be', () => {
  it.each<[string, Check, readonly unknown[], readonly unknown[], string]>([
    ['mustBeString', mustBeString, ['', 'a'], [7, null, undefined, {}], 'a string'],
    ['mustBeBoolean', mustBeBoolean, [true, false], [0, 'true', null], 'true or false'],
    [
      'mustBeToken',
      mustBeToken,
      ['Bearer', "!#$%&'*+-.^_`|~09azAZ"],
      ['', 'a b', 'a,b', 'é', 7],
      'a single word without blanks',
    ],
    [
      'mustBeHeaderName',
      mustBeHeaderName,
      ['X-API-Key', 'X-Cookie', 'Cookie-Name', 'Cookie2'],
      ['', 'a b', 'a:', 7],
      'the name of a header',
    ],
    [
      'mustBeHeaderName',
      mustBeHeaderName,
      [],
      ['Cookie', 'cookie', 'Set-Cookie', 'SET-COOKIE'],
      'the name of a header other than a cookie header',
    ],
    [
      'mustBeQuotable',
      mustBeQuotable,
      ['', 'api', 'a "b" \\ ~'],
      ['a\nb', 'é', '\x7f', 'a\x1f', 7, undefined],
      'a string of printable ASCII characters',
    ],
    ['mustBeInteger', mustBeInteger(1, 60), [1, 60], [0, 61, 1.5, '7'], 'an integer from 1 to 60'],
  ])('%s -> what it takes, and what it says of the rest', (_name, check, good, bad, expected) => {
    for (const value of good) expect(check(value)).toBeUndefined();
    for (const value of bad) expect(check(value)).toBe(expected);
  });
});

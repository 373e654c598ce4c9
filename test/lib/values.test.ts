import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { deepCopy, deepFreeze, fixedDate, isThenable, isValidDate } from '../../src/lib/values.js';

describe('whether a value has a then method', () => {
  it.each<[string, unknown, boolean]>([
    ['a promise', Promise.resolve(), true],
    ['a promise of another realm', runInNewContext('Promise.resolve()'), true],
    ['an object with a method', runInNewContext('({ then() {} })'), true],
    ['an object whose then is no method', JSON.parse('{"then": "later"}'), false],
    ['an object without one', {}, false],
    ['null', null, false],
    ['undefined', undefined, false],
    ['a string', 'then', false],
  ])('%s -> %3$s', (_what, value, expected) => {
    expect(isThenable(value)).toBe(expected);
  });
});

describe('whether a value is a valid date', () => {
  it.each<[string, unknown, boolean]>([
    ['a date', new Date(0), true],
    ['a date of another realm', runInNewContext('new Date(0)'), true],
    ['a date that is none', new Date(Number.NaN), false],
    ['a number', 0, false],
    ['an object with its method', { getTime: () => 0 }, false],
  ])('%s -> %3$s', (_what, value, expected) => {
    expect(isValidDate(value)).toBe(expected);
  });
});

describe('deepFreeze', () => {
  it('an object of objects and arrays -> the same object, all of it frozen', () => {
    const value = { a: { b: [{ c: 1 }] }, none: null, text: 'text' };
    expect(deepFreeze(value)).toBe(value);
    for (const each of [value, value.a, value.a.b, value.a.b[0]])
      expect(Object.isFrozen(each)).toBe(true);
    expect(value).toEqual({ a: { b: [{ c: 1 }] }, none: null, text: 'text' });
  });

  it('an object that contains itself -> frozen, without an end to it', () => {
    const value: { self?: object } = {};
    value.self = value;
    expect(Object.isFrozen(deepFreeze(value))).toBe(true);
  });

  it('a function -> left as it is', () => {
    const value = Object.assign(() => {}, { part: {} });
    expect(deepFreeze(value)).toBe(value);
    expect(Object.isFrozen(value)).toBe(false);
    expect(Object.isFrozen(value.part)).toBe(false);
  });

  it.each([undefined, null, 'text', 7])('%j -> the same', (value) => {
    expect(deepFreeze(value)).toBe(value);
  });
});

describe('deepCopy', () => {
  it('plain data -> equal, and nothing of it shared', () => {
    const value = {
      at: new Date(0),
      list: [{ a: 1 }, [2]],
      none: null,
      gone: undefined,
      text: 'a',
    };
    const copy = deepCopy(value);
    expect(copy).toEqual(value);
    expect(copy).not.toBe(value);
    expect(copy.at).not.toBe(value.at);
    expect(copy.at).toBeInstanceOf(Date);
    expect(copy.list).not.toBe(value.list);
    expect(copy.list[0]).not.toBe(value.list[0]);
    expect(copy.list[1]).not.toBe(value.list[1]);
  });

  it('a property called __proto__ -> a property, and no prototype', () => {
    const copy = deepCopy(JSON.parse('{"__proto__": {"admin": true}}') as object);
    expect(Object.keys(copy)).toEqual(['__proto__']);
    expect('admin' in copy).toBe(false);
  });
});

describe('fixedDate', () => {
  it('a date -> a copy that says the same, and is a Date', () => {
    const date = new Date(1_000);
    const fixed = fixedDate(date);
    expect(fixed).not.toBe(date);
    expect(fixed).toBeInstanceOf(Date);
    expect(fixed.getTime()).toBe(1_000);
    expect(JSON.stringify(fixed)).toBe('"1970-01-01T00:00:01.000Z"');
    expect(Object.isFrozen(fixed)).toBe(true);
  });

  it.each(['setTime', 'setFullYear', 'setUTCMilliseconds'] as const)(
    'its %s -> an error that says what to do, and the date stays',
    (setter) => {
      const fixed = fixedDate(new Date(1_000));
      expect(() => fixed[setter](0)).toThrow(
        'this date belongs to every request with its key; make a Date of your own from it',
      );
      expect(fixed.getTime()).toBe(1_000);
    },
  );
});

import { expect, it } from 'vitest';
import { parseApiKey } from '../../src/index.js';
import { comparisons } from './comparisons.js';
import { generateKeys, present, presentWrong, presentWrongSecret } from './presented-keys.js';

const [genuine] = generateKeys(1);
const key = present(genuine!);
const differing = (presented: string) =>
  Array.from(presented).flatMap((character, index) => (character === key[index] ? [] : [index]));

it('a key presented wrong in a byte -> wrong in that one alone, and the genuine one as before', () => {
  for (let i = 0; i < 200; i++) {
    expect(differing(presentWrong(genuine!, 'first'))).toEqual([0]);
    expect(differing(presentWrong(genuine!, 'last'))).toEqual([key.length - 1]);
  }
  expect(present(genuine!)).toBe(key);
});

it('a key presented with a wrong secret -> a key by its form, with one byte of the secret changed', () => {
  for (const [place, index] of [
    ['first', 14],
    ['last', 45],
  ] as const) {
    const presented = presentWrongSecret(genuine!, place);
    expect(parseApiKey(presented)?.keyId).toBe(parseApiKey(key)?.keyId);
    expect(differing(presented).filter((each) => each < 46)).toEqual([index]);
  }
});

it('what is timed -> every check of the library, expected without a leak, and naive ones with one', () => {
  const expecting = (expected: string) =>
    new Set(comparisons.filter((each) => each.expected === expected).map(({ check }) => check));
  expect(expecting('none')).toEqual(new Set(['keyList', 'guard', 'manager']));
  expect(expecting('leak')).toEqual(new Set(['characters', 'loop']));
});

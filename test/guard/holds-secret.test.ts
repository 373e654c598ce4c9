import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { holdsSecret } from '../../src/guard/holds-secret.js';

const key = 'Key-Of-Alice-0123456789';
const digest = createHash('sha256').update(key).digest('hex');
const holds = (value: unknown, presented = key) => holdsSecret([value], presented);

describe('holdsSecret', () => {
  it.each<[string, unknown]>([
    ['the key', key],
    ['the key within a text', `row(${key})`],
    ['the digest', digest],
    ['the digest in upper case', digest.toUpperCase()],
    ['the tagged digest within a text', `{"digest":"sha256:${digest}"}`],
    ['an object that holds it', { row: { api_key: key } }],
    ['an object whose member is named so', { [key]: true }],
    ['an array that holds it', [['a', key]]],
    ['a Map with it as a key', new Map([[key, 1]])],
    ['a Map with it as a value', new Map([[1, key]])],
    ['a Set that holds it', new Set([key])],
    ['a Buffer of it', Buffer.from(`\xff${key}\xff`, 'latin1')],
    ['a view into the middle of a buffer', new Uint8Array(Buffer.from(`ab${key}`)).subarray(2)],
    ['an object that holds itself as well', Object.assign([] as unknown[], { self: [key] })],
  ])('%s -> true', (_what, value) => {
    expect(holds(value)).toBe(true);
  });

  it('any of several values -> true, whichever it is', () => {
    for (const values of [
      [key, 'a', undefined],
      ['a', key, null],
      ['a', undefined, key],
    ])
      expect(holdsSecret(values, key)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['null within an object', { deletedAt: null }],
    ['a number', 7],
    ['another text as long as the digest', 'a'.repeat(64)],
    ['a text longer than the digest', 'a'.repeat(100)],
    ['the key in another case', key.toLowerCase()],
    ['a part of the key', key.slice(1)],
    ['a part of the digest', digest.slice(1)],
    ['a Buffer of something else', Buffer.from('alice')],
    ['an empty Map', new Map()],
  ])('%s -> false', (_what, value) => {
    expect(holds(value)).toBe(false);
  });

  it('a view that leaves the key out -> false', () => {
    const bytes = Buffer.from(`${key}abc`);
    expect(holds(bytes.subarray(key.length))).toBe(false);
    expect(holds(bytes.subarray(0, 3))).toBe(false);
  });

  it('a key of eight characters within a word -> false; alone -> true; of nine within a word -> true', () => {
    expect(holds('production', 'producti')).toBe(false);
    expect(holds('producti', 'producti')).toBe(true);
    expect(holds('production', 'productio')).toBe(true);
  });

  it('an object that runs in a circle -> false, in finite time', () => {
    const circle: Record<string, unknown> = { user: 'alice' };
    circle['self'] = circle;
    expect(holds(circle)).toBe(false);
  });

  it('10 000 parts -> looked at; one more -> a RangeError', () => {
    const message = 'an identity has more than 10000 parts';
    expect(
      holdsSecret(
        Array.from({ length: 10_001 }, () => 1),
        key,
      ),
    ).toBe(false);
    expect(() =>
      holdsSecret(
        Array.from({ length: 10_002 }, () => 1),
        key,
      ),
    ).toThrow(new RangeError(message));
    expect(() => holds(new Set(Array.from({ length: 10_001 }, (_, at) => at)))).toThrow(RangeError);
    expect(() => holds(Array.from({ length: 100_000 }, () => 1))).toThrow(RangeError);
  });
});

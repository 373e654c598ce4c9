import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestApiKey } from '../../src/index.js';
import { parseDigest, tagged } from '../../src/keys/digest.js';

const digest = `sha256:${createHash('sha256').update('a key').digest('hex')}`;

describe('digestApiKey', () => {
  it('of a key -> its tagged SHA-256 in lower case', () => {
    expect(digestApiKey('a key')).toBe(digest);
  });

  it.each([[''], [undefined], [null], [7], [Buffer.from('a key')]])(
    'of %j -> a TypeError',
    (key) => {
      expect(() => digestApiKey(key as string)).toThrow(
        new TypeError('digestApiKey: the key must be a non-empty string'),
      );
    },
  );
});

describe('parseDigest', () => {
  it('a digest in any case -> that digest', () => {
    for (const text of [digest, digest.toUpperCase()])
      expect(tagged(parseDigest(text)!)).toBe(digest);
  });

  it.each([
    ['something before it', ` ${digest}`],
    ['something behind it', `${digest}0`],
    ['a digit too few', digest.slice(0, -1)],
    ['a character that is no digit', digest.replace(/.$/, 'g')],
    ['no tag', digest.slice(7)],
    ['another tag', digest.replace('sha256', 'sha512')],
    ['nothing', ''],
  ])('%s -> not a digest', (_what, text) => {
    expect(parseDigest(text)).toBeUndefined();
  });
});

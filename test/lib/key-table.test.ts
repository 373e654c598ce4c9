import { describe, expect, it } from 'vitest';
import { digestApiKey, generateApiKey } from '../../src/index.js';
import { examineEntries, weaknessOf, type KeyEntry } from '../../src/lib/key-table.js';

const long = 'q7'.repeat(16);
const sample = 'looks like a sample from documentation';
const short = 'is shorter than 32 characters';
const quoted = 'stands in quotes, which are part of it';

describe('weaknessOf', () => {
  it.each([
    'my-key',
    'my_api_key',
    'your-api-secret-internal-token',
    `the__secret::key-${long}`,
    `${long}-some-secret`,
    `changeme${long}`,
    `change-me-${long}`,
    `${long}changethis`,
    `change_it${long}`,
    `replaceme${long}`,
    `replace-this-${long}`,
    `replacewith${long}`,
    'example',
    `Example-${long}`,
    `sample_${long}`,
    'dummy',
    `placeholder-${long}`,
    `${long}-an-example`,
    `${long}_sample`,
    'goes-here',
    '1111111111111111111111111111111111111111',
    'key',
    'test',
    'secret123',
    'password',
    'api',
    'apikey',
    'abc',
    'test-key-test-key-test-key-test-key-0',
    'xxxx-xxxx-xxxx-xxxx-xxxx-xxxx-xxxx-xxxx',
    'key_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
  ])('%s -> a sample', (key) => {
    expect(weaknessOf(key)).toBe(sample);
  });

  it.each([
    long,
    `army-key${long}`,
    `my-keyring-${long}`,
    `${long}-your-monkey-${long}`,
    `${long}-example-${long}`,
    `${long}-dummy-${long}`,
    `examples${long}`,
    `q-here-q${long}`,
    `key-test-other-words-${long}`,
    `ab${'a'.repeat(40)}`,
    `${'a'.repeat(40)}b`,
    generateApiKey().key,
    digestApiKey('test'),
  ])('%s -> not weak', (key) => {
    expect(weaknessOf(key)).toBeUndefined();
  });

  it.each(['my_key', 'your_secret', 'example', 'sample', 'placeholder', 'change_me', 'test_key'])(
    'a generated key that begins with %s -> not weak, while one with another checksum is a sample',
    (prefix) => {
      const { key } = generateApiKey({ prefix });
      expect(weaknessOf(key)).toBeUndefined();
      expect(weaknessOf(`${prefix}_${'0'.repeat(48)}`)).toBe(sample);
    },
  );

  it.each([`"${long}"`, `'${long}'`, `"${generateApiKey().key}"`, `"${digestApiKey('test')}"`, "'q7'"])(
    '%s, quotes around the whole key -> quoted',
    (key) => {
      expect(weaknessOf(key)).toBe(quoted);
    },
  );

  it.each([`"${long}`, `${long}'`, `"${long}'`, `q"${long}"`])(
    '%s, quotes that do not enclose the key -> not weak',
    (key) => {
      expect(weaknessOf(key)).toBeUndefined();
    },
  );

  it('a sample in quotes -> a sample', () => {
    expect(weaknessOf('"your-api-key"')).toBe(sample);
  });

  it('31 characters -> short; 32 -> not', () => {
    expect(weaknessOf(long.slice(1))).toBe(short);
    expect(weaknessOf(long)).toBeUndefined();
  });
});

describe('examineEntries', () => {
  const entries = (...pairs: [user: string, key: string][]): KeyEntry[] =>
    pairs.map(([user, key], index) => ({ user, key, place: `entry ${index + 1}` }));
  const examine = (...pairs: [user: string, key: string][]) => {
    const { problems, weak } = examineEntries(entries(...pairs));
    return { problems: problems.map(({ message }) => message), weak: weak.map(({ place }) => place) };
  };

  it('a list without a fault -> no problems', () => {
    expect(examine(['alice', `${long}A`], ['bob', `${long}B`])).toEqual({ problems: [], weak: [] });
  });

  it('several broken entries -> each is named, and what is weak among the rest', () => {
    expect(examine(['', `${long}A`], ['bob', 'short'], ['carol', ''], ['dave', `${long}B`])).toEqual({
      problems: ['entry 1 has no user, or one with control characters', 'entry 3 has no key'],
      weak: ['entry 2'],
    });
  });

  it('an entry that is none at all -> what reading it throws, not a list without end', () => {
    expect(() => examineEntries([{ user: 'alice', place: 'entry 1' } as never])).toThrow(TypeError);
  });
});

import { describe, expect, it } from 'vitest';
import { digestApiKey, generateApiKey } from '../../src/index.js';
import { weaknessOf } from '../../src/sources/weakness.js';

const long = 'q7'.repeat(16);

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
    expect(weaknessOf(key)).toBe('sample');
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
      expect(weaknessOf(`${prefix}_${'0'.repeat(48)}`)).toBe('sample');
    },
  );

  it.each([
    `"${long}"`,
    `'${long}'`,
    `"${generateApiKey().key}"`,
    `"${digestApiKey('test')}"`,
    "'q7'",
  ])('%s, quotes around the whole key -> quoted', (key) => {
    expect(weaknessOf(key)).toBe('quoted');
  });

  it.each([`"${long}`, `${long}'`, `"${long}'`, `q"${long}"`, `"${long}"q`])(
    '%s, quotes that do not enclose the key -> not weak',
    (key) => {
      expect(weaknessOf(key)).toBeUndefined();
    },
  );

  it('a sample in quotes -> a sample', () => {
    expect(weaknessOf('"your-api-key"')).toBe('sample');
  });

  it('31 characters -> short; 32 -> not', () => {
    expect(weaknessOf(long.slice(1))).toBe('short');
    expect(weaknessOf(long)).toBeUndefined();
  });
});

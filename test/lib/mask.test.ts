import { describe, expect, it } from 'vitest';
import { isKeyLike, maskKeys, maskSecrets } from '../../src/lib/mask.js';
import { generateApiKey } from '../../src/index.js';

const { key, digest } = generateApiKey({ prefix: 'acme_live' });
const hex = digest.slice('sha256:'.length);

describe('masking text of other origin', () => {
  it.each([
    [`no row for ${key}`, 'no row for <key>'],
    [`cache_${key}_v1`, '<key>_v1'],
    [`${key.toUpperCase()} and ${key}ab`, '<key> and <key>'],
    [`"${digest}" or a${hex}`, '"<digest>" or <digest>'],
    [
      'postgres://root:p%40ss@h/x?password=p&a=1',
      'postgres://root:<secret>@h/x?password=<secret>&a=1',
    ],
    ['postgres://:pw@h/x', 'postgres://:<secret>@h/x'],
    ['https://host:8080/path@x', 'https://host:8080/path@x'],
    ['permission denied for table api_keys', 'permission denied for table api_keys'],
  ])('%s -> %s', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  it('another mark -> in place of each secret', () => {
    expect(maskSecrets(`${key} ${digest}`, (what) => `[${what}]`)).toBe('[key] [digest]');
  });

  it('a key in a sentence of ours -> masked; what only looks like a password -> left', () => {
    const sentence = 'write postgres://user:password@host/name';
    expect(maskKeys(`${sentence} for ${key}`)).toBe(`${sentence} for <key>`);
  });

  it.each([
    ['letters', 'a'],
    ['underscores', 'a_'],
    ['half keys', `_${'a'.repeat(47)}`],
    ['addresses', 'a://b:'],
    ['words with dots', 'a.'],
  ])('a megabyte of %s -> masked in time that grows with its length alone', (_what, part) => {
    const text = part.repeat(1_000_000 / part.length);
    const startedAt = performance.now();
    maskSecrets(text);
    // A pattern that tries each place anew would take minutes.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it('a key or digest alone -> recognized, and not one within a text', () => {
    expect([key, digest, hex].map(isKeyLike)).toEqual([true, true, true]);
    expect([`x ${key}`, 'alice', 'sha256:12'].map(isKeyLike)).toEqual([false, false, false]);
  });
});

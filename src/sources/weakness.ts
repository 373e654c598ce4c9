import { parseDigest } from '../keys/digest.js';
import { isKeyLike } from '../lib/mask.js';

/** Why a working key should be replaced. */
export type Weakness = 'sample' | 'quoted' | 'short';

/** Completes "the key in entry 2 ...". */
export const describeWeakness: Readonly<Record<Weakness, string>> = {
  sample: 'looks like a sample from documentation',
  quoted: 'stands in quotes, which are part of it',
  short: 'is shorter than 32 characters',
};

/**
 * Why a working key should be replaced. `undefined` if it need not be, or if only its digest is
 * known.
 */
export function weaknessOf(key: string): Weakness | undefined {
  if (parseDigest(key)) return undefined;
  // A generated key is random, even if its prefix or chance spells a word: 48 random characters
  // repeat few of them.
  if (isKeyLike(key) && new Set(key.slice(-48)).size > 16) return undefined;
  if (isSample(key)) return 'sample';
  if (/^(["']).*\1$/.test(key)) return 'quoted';
  return key.length < 32 ? 'short' : undefined;
}

const sampleWords = new Set(['key', 'test', 'secret', 'password', 'api', 'apikey', 'abc']);

function isSample(key: string): boolean {
  const words = key.toLowerCase().replace(/[^a-z]+/g, '-');
  return (
    /(^|-)(your|my|some|the)-(api-|secret-|internal-)*(key|token|secret)(-|$)/.test(words) ||
    /change-?(me|this|it)|replace-?(me|this|with)|^(example|sample|dummy|placeholder)(-|$)|-(example|sample|here)$/.test(
      words,
    ) ||
    /^(.)\1*$/.test(key) ||
    words.split('-').every((word) => sampleWords.has(word) || /^x*$/.test(word))
  );
}

import { crc32 } from 'node:zlib';
import { generateApiKey } from '../../src/index.js';

/** Of a key's bytes, or of the keys of a table. */
export type Place = 'first' | 'last';

/**
 * Genuine keys as bytes: a string that was hashed or compared once remembers it, so every presented
 * key is made anew.
 */
export function generateKeys(count: number): readonly Buffer[] {
  return Array.from({ length: count }, () => Buffer.from(generateApiKey().key, 'latin1'));
}

export const present = (bytes: Buffer): string => bytes.toString('latin1');

const digits = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');

export const anyOf = (keys: readonly Buffer[]) => keys[Math.floor(Math.random() * keys.length)]!;

export function shuffled<Item>(items: readonly Item[]): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** The key with another character at its first or last place. */
export function presentWrong(genuine: Buffer, place: Place): string {
  const wrong = Buffer.from(genuine);
  change(wrong, place === 'first' ? 0 : wrong.length - 1);
  return present(wrong);
}

/**
 * The key with another character at the first or last place of its secret, and the checksum of
 * that: it parses, and is unknown.
 */
export function presentWrongSecret(genuine: Buffer, place: Place): string {
  const wrong = Buffer.from(genuine);
  const checksumAt = wrong.length - 6;
  change(wrong, place === 'first' ? checksumAt - 32 : checksumAt - 1);
  let rest = crc32(wrong.subarray(0, checksumAt));
  for (let index = wrong.length - 1; index >= checksumAt; index--) {
    wrong[index] = digits[rest % 62]!;
    rest = Math.floor(rest / 62);
  }
  return present(wrong);
}

function change(bytes: Buffer, index: number): void {
  const right = bytes[index]!;
  while (bytes[index] === right) bytes[index] = digits[Math.floor(Math.random() * digits.length)]!;
}

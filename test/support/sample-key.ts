import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function base62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n)
    text = (digits[Number(rest % 62n)] ?? '') + text;
  return text;
}

/**
 * A well-formed key, written from the contract's section 6 and not by the library; the same seed,
 * the same key.
 */
export function sampleKey(seed: string): string {
  const number = BigInt(`0x${createHash('sha512').update(seed).digest('hex')}`);
  const body = `key_${base62(number, 42)}`;
  return body + base62(BigInt(crc32(body)), 6);
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function changed(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1);
}

/** What is close to `key` without being it, each with the name of what was done. */
export function keyMutations(key: string): readonly (readonly [name: string, presented: string])[] {
  return [
    ['the first character of the prefix changed', changed(key, 0)],
    ['the separator changed', `${key.slice(0, 3)}-${key.slice(4)}`],
    ['the first character of the id changed', changed(key, 4)],
    ['the last character of the id changed', changed(key, 13)],
    ['the first character of the secret changed', changed(key, 14)],
    ['the last character of the secret changed', changed(key, 45)],
    ['the first character of the checksum changed', changed(key, 46)],
    ['the last character of the checksum changed', changed(key, 51)],
    ['the first character cut off', key.slice(1)],
    ['the last character cut off', key.slice(0, -1)],
    ['one character put before', `k${key}`],
    ['one character put behind', `${key}a`],
    ['upper case', key.toUpperCase()],
    ['lower case', key.toLowerCase()],
    ['doubled', key + key],
    ['reversed', Array.from(key).toReversed().join('')],
    ['quoted', `"${key}"`],
    ['percent-encoded', key.replace('_', '%5F')],
    ['the prefix alone', 'key'],
    ['the id alone', key.slice(0, 14)],
    ['the secret alone', key.slice(14, 46)],
    ['the tagged digest', `sha256:${sha256Hex(key)}`],
    ['the bare digest', sha256Hex(key)],
    ['the tag alone', 'sha256:'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['toString', 'toString'],
    ['hasOwnProperty', 'hasOwnProperty'],
    ['undefined', 'undefined'],
    ['null', 'null'],
    ['true', 'true'],
    ['a user name', 'alice'],
    ['a user and the key', `alice:${key}`],
  ];
}

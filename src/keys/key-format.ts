import { randomBytes } from 'node:crypto';
import { digestApiKey } from './digest.js';
import { checkOptions, type Check } from '../lib/options.js';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const idLength = 10;
const secretLength = 32;
const checksumLength = 6;
const maxPrefixLength = 32;

const prefixPattern = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
// Matched from the end, which holds no underscore, because a prefix may hold any number.
const keyPattern = /^([a-z][a-z0-9]*(?:_[a-z0-9]+)*)_([0-9A-Za-z]{10})[0-9A-Za-z]{38}$/;

/** The form of a generated key. */
export interface GenerateApiKeyOptions {
  /**
   * The start of the key: lower-case words of letters and digits joined by `_`, at most 32
   * characters. Default `key`.
   */
  prefix?: string | undefined;
}

/** A key that was just made and is not stored. */
export interface GeneratedApiKey {
  /** The whole key, for its user alone. It cannot be recovered from the digest. */
  key: string;
  /** The public name, `<prefix>_<10 characters>`. It is the start of the key. */
  keyId: string;
  /** What to store instead of the key: `sha256:<64 hex>`. */
  digest: string;
}

export const mustBePrefix: Check = (value) =>
  typeof value === 'string' && value.length <= maxPrefixLength && prefixPattern.test(value)
    ? undefined
    : `lower-case words joined by "_", at most ${maxPrefixLength} characters`;

/**
 * Makes a key without storing it: `<prefix>_<id><secret><checksum>`, with 10, 32 and 6 base62
 * characters. The secret has 190 bits from the system's CSPRNG (OWASP ASVS 5.0, 11.5.1 asks for
 * 128). The checksum allows refusing a mistyped key without a look-up.
 *
 * @throws {TypeError} for an unknown option or an invalid prefix.
 */
export function generateApiKey(options?: GenerateApiKeyOptions): GeneratedApiKey {
  const { prefix = 'key' } = checkOptions<GenerateApiKeyOptions>('generateApiKey', options, {
    prefix: mustBePrefix,
  });
  const keyId = `${prefix}_${randomBase62(idLength)}`;
  const body = keyId + randomBase62(secretLength);
  const key = body + checksum(body);
  return { key, keyId, digest: digestApiKey(key) };
}

/**
 * Returns the public parts of a key, or `undefined` if its form or checksum is wrong. Does not
 * check whether the key is known. Never throws.
 */
export function parseApiKey(key: unknown):
  | {
      /** The start of the key. */
      prefix: string;
      /** The public name, `<prefix>_<10 characters>`. */
      keyId: string;
    }
  | undefined {
  if (typeof key !== 'string') return undefined;
  if (key.length > maxPrefixLength + 1 + idLength + secretLength + checksumLength) return undefined;
  const [, prefix, id] = keyPattern.exec(key) ?? [];
  if (prefix === undefined) return undefined;
  if (checksum(key.slice(0, -checksumLength)) !== key.slice(-checksumLength)) return undefined;
  return { prefix, keyId: `${prefix}_${id}` };
}

/** The CRC-32 (as in zlib) of the text, in base62 with leading zeros. */
function checksum(text: string): string {
  // Loaded late, because a guard on listed keys never needs it.
  let rest = process.getBuiltinModule('node:zlib').crc32(text);
  let result = '';
  for (let i = 0; i < checksumLength; i++) {
    result = digits[rest % 62]! + result;
    rest = Math.floor(rest / 62);
  }
  return result;
}

export function randomBase62(length: number): string {
  let result = '';
  while (result.length < length) {
    for (const byte of randomBytes(length)) {
      // 248 is the greatest multiple of 62 in a byte. Higher bytes would make the first digits more
      // likely.
      if (byte < 248 && result.length < length) result += digits[byte % 62]!;
    }
  }
  return result;
}

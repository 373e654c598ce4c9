import { hash } from 'node:crypto';

/**
 * The one place where keys are hashed. SHA-256 without salt or stretching is right for keys of at least 112 bits of entropy
 * (OWASP ASVS 5.0, 6.5.2), and it lets a key be found by its digest: one look-up, whatever the number of keys.
 *
 * Digests are compared by looking them up. Whoever times that learns something about a digest whose bytes they cannot choose,
 * not about a key; comparing keys themselves would leak their first bytes or their length (CVE-2022-31142).
 */
export function sha256Hex(key: string): string {
  return hash('sha256', key, 'hex');
}

/**
 * The digest under which a key is stored: `sha256:` and 64 lower-case hexadecimal digits.
 *
 * @throws {TypeError} where `key` is not a string or is empty.
 */
export function digestApiKey(key: string): string {
  if (typeof key !== 'string' || key === '')
    throw new TypeError('digestApiKey: the key must be a non-empty string');
  return `sha256:${sha256Hex(key)}`;
}

/** The 64 hexadecimal digits of a tagged digest, in lower case, or `undefined` where the text is not one. */
export function parseDigest(text: string): string | undefined {
  return /^sha256:([0-9a-f]{64})$/i.exec(text)?.[1]?.toLowerCase();
}

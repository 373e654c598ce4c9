import { hash } from 'node:crypto';

declare const isDigest: unique symbol;

/**
 * A SHA-256 digest for look-ups: 32 characters, one for each byte. Half as long as in
 * hexadecimal.
 */
export type Digest = string & { readonly [isDigest]: true };

/**
 * Hashes a key. All hashing happens here. SHA-256 without salt or stretching is right for keys of
 * at least 112 bits of entropy (OWASP ASVS 5.0, 6.5.2). It allows finding a key by its digest in
 * one look-up, however many keys there are.
 *
 * Digests are compared by looking them up. An attacker who times this learns about a digest whose
 * bytes they cannot choose, not about a key. Comparing keys themselves would leak their first
 * bytes or their length (CVE-2022-31142).
 */
export function digestOf(key: string): Digest {
  return hash('sha256', key, 'binary') as Digest;
}

/** The 64 lower-case hexadecimal digits of a digest. */
export function toHex(digest: Digest): string {
  return Buffer.from(digest, 'latin1').toString('hex');
}

/** A digest in its written and stored form. */
export function tagged(digest: Digest): string {
  return `sha256:${toHex(digest)}`;
}

/**
 * Returns the digest under which a key is stored: `sha256:` and 64 lower-case hexadecimal digits.
 * Hashes the exact text, including blanks and case. A list of keys may hold it in place of the
 * key.
 *
 * @throws {TypeError} if `key` is not a string or is empty.
 */
export function digestApiKey(key: string): string {
  if (typeof key !== 'string' || key === '')
    throw new TypeError('digestApiKey: the key must be a non-empty string');
  return tagged(digestOf(key));
}

/** Parses `sha256:<64 hex>`, in upper or lower case. `undefined` if the text is not a digest. */
export function parseDigest(text: string): Digest | undefined {
  const hex = /^sha256:([0-9a-f]{64})$/i.exec(text)?.[1];
  return hex === undefined ? undefined : (Buffer.from(hex, 'hex').toString('latin1') as Digest);
}

import { hash } from 'node:crypto';

declare const isDigest: unique symbol;

/** A SHA-256 digest as it is looked up: 32 characters, one a byte. Half as long as in hexadecimal. */
export type Digest = string & { readonly [isDigest]: true };

/**
 * The one place where keys are hashed. SHA-256 without salt or stretching is right for keys of at least 112 bits of entropy
 * (OWASP ASVS 5.0, 6.5.2), and it lets a key be found by its digest: one look-up, whatever the number of keys.
 *
 * Digests are compared by looking them up. Whoever times that learns something about a digest whose bytes they cannot choose,
 * not about a key; comparing keys themselves would leak their first bytes or their length (CVE-2022-31142).
 */
export function digestOf(key: string): Digest {
  return hash('sha256', key, 'binary') as Digest;
}

/** The 64 lower-case hexadecimal digits of a digest. */
export function toHex(digest: Digest): string {
  return Buffer.from(digest, 'latin1').toString('hex');
}

/** A digest in the form in which it is written down and stored. */
export function tagged(digest: Digest): string {
  return `sha256:${toHex(digest)}`;
}

/**
 * The digest under which a key is stored, `sha256:` and 64 lower-case hexadecimal digits; of the exact text, blanks and case
 * included. It may stand wherever a key is listed.
 *
 * @throws {TypeError} where `key` is not a string or is empty.
 */
export function digestApiKey(key: string): string {
  if (typeof key !== 'string' || key === '')
    throw new TypeError('digestApiKey: the key must be a non-empty string');
  return tagged(digestOf(key));
}

/** The digest that `sha256:<64 hex>` stands for, in whatever case, or `undefined` where the text is not one. */
export function parseDigest(text: string): Digest | undefined {
  const hex = /^sha256:([0-9a-f]{64})$/i.exec(text)?.[1];
  return hex === undefined ? undefined : (Buffer.from(hex, 'hex').toString('latin1') as Digest);
}

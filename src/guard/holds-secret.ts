import { digestOf, toHex } from '../keys/digest.js';

// A key as short as this may be part of an innocent word.
const shortKey = 8;

/** More parts than any identity has use for. */
const maxParts = 10_000;

/**
 * Whether the presented key or its digest stands anywhere in what handlers and logs are going to see;
 * `(key) => known.has(key) && key` puts it there.
 *
 * @throws {RangeError} for values of more than 10 000 parts, which would hold up every request.
 */
export function holdsSecret(values: readonly unknown[], presentedKey: string): boolean {
  const digest = toHex(digestOf(presentedKey));
  const rest = [...values];
  const seen = new Set<unknown>();
  const isSecret = (text: string) =>
    text === presentedKey ||
    (presentedKey.length > shortKey && text.includes(presentedKey)) ||
    (text.length >= digest.length && text.toLowerCase().includes(digest));
  for (let parts = 0; rest.length > 0; parts++) {
    if (parts > maxParts) throw new RangeError(`an identity has more than ${maxParts} parts`);
    const value = rest.pop();
    if (typeof value === 'string') {
      if (isSecret(value)) return true;
    } else if (ArrayBuffer.isView(value)) {
      if (
        isSecret(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'))
      )
        return true;
    } else if (typeof value === 'object' && value !== null && !seen.has(value)) {
      seen.add(value);
      const inner =
        value instanceof Map || value instanceof Set ? [...value] : Object.entries(value).flat();
      for (const part of inner.slice(0, maxParts + 1)) rest.push(part);
    }
  }
  return false;
}

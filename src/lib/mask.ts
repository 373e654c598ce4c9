/** The part of one of this library's keys after its prefix: `_`, and 48 characters of base62. */
const ending = '_[0-9A-Za-z]{48}';

/** Whether the text has the form of a key or a digest. Neither may stand in place of a name. */
export const isKeyLike = (text: string) => keyOrDigest.test(text);
const keyOrDigest = new RegExp(`^(?:sha256:)?[0-9a-f]{64}$|^[a-z][a-z0-9_]*${ending}$`, 'i');

/** Returns what stands in place of a secret. */
type Mark = (what: 'key' | 'digest' | 'secret') => string;
const inAngles: Mark = (what) => `<${what}>`;

/**
 * Replaces each key of this library's form by `<key>`, even if its case was changed or more text
 * follows it.
 */
export const maskKeys = (text: string, mark: Mark = inAngles): string =>
  text.replaceAll(anyKey, mark('key'));
const anyKey = new RegExp(`(?:[a-z][a-z0-9_]{0,31})?${ending}[0-9A-Za-z]*`, 'gi');

/**
 * Masks keys, digests and connection passwords in text from elsewhere. Not meant for this library's
 * own sentences: they hold no secret, but may hold what looks like one.
 */
export const maskSecrets = (text: string, mark: Mark = inAngles): string =>
  maskKeys(text, mark)
    .replaceAll(/(?:sha256:)?[0-9a-f]{64,}/gi, mark('digest'))
    .replaceAll(connectionPassword, `$1:${mark('secret')}@`)
    .replaceAll(/(password=)[^\s&]+/gi, `$1${mark('secret')}`);
// Every part is bounded, because each `://` begins another search.
const connectionPassword =
  /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@]{0,300}):(?!\d{1,5}\/)[^\s@]{0,300}@/gi;

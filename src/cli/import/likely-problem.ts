import type { ImportKeyOptions } from '../../manager/key-options.js';
import { findKey } from '../secrets.js';

/**
 * Zero-width, direction and line separator characters: a user that has one looks like another
 * user.
 */
const invisible = /[\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

const clock = String.raw`\d{1,2}:\d\d(:\d\d(\.\d+)?)?( ?[AP]M)?`;
const zone = String.raw` ?(Z|UTC|[+-]\d\d(:?\d\d)?)`;
const time = new RegExp(
  String.raw`^(\d{4}-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})([T ].*)?$|^${clock}(${zone})?$|^-?infinity$`,
  'i',
);

/**
 * Whether a text is a date or a time, as databases and spreadsheets write them, or begins as one.
 */
export const isTime = (text: string): boolean => time.test(text);

/**
 * Whether the text holds a key of this library's form, or 64 hexadecimal digits, even with text
 * around it.
 */
const holdsKey = (text: string) =>
  /_[0-9A-Za-z]{48}|(^|[^0-9a-z])[0-9a-f]{64}($|[^0-9a-z])/i.test(text);

const minCopyLength = 8;

/**
 * Why a user or a key that the library would take is unlikely to be one: columns were mixed up,
 * or a text was changed.
 */
export function likelyProblemOf({
  user,
  key,
  name,
  metadata,
}: ImportKeyOptions): string | undefined {
  if (/^sha256$/i.test(user)) return 'has no user: "sha256:" begins a digest';
  if (user.trim() !== user) return 'has blanks around its user';
  if (invisible.test(user)) return 'has an invisible character in its user';
  if (isTime(user)) return 'has a time in place of its user';
  if (holdsKey(user) || holdsKey(name ?? '') || findKey(JSON.stringify(metadata ?? {})))
    return 'has a key or a digest in its user, name or metadata, where it would be readable';
  if (key === undefined) return undefined;
  if (isTime(key)) return 'has a time in place of its key';
  if (/^[^@\s]+@[\w-]+(\.[\w-]+)+$/.test(key)) return 'has a mail address in place of its key';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(key)) return 'has an address in place of its key';
  if (/^(null|undefined|none|true|false)$/i.test(key))
    return 'has a word for nothing in place of its key';
  if (/^\d[.]?\d*E\+?\d+$/i.test(key))
    return 'has a number in place of its key, as spreadsheets shorten long ones';
  if (/^\\x([0-9a-f]{2})+$/i.test(key))
    return 'has bytes in place of its key: if they are a digest, write sha256: and the hex digits';
  const readable = [user, name ?? '', JSON.stringify(metadata ?? {})];
  if (key.length >= minCopyLength && readable.some((text) => text.includes(key)))
    return 'has its key in its user, name or metadata too, where it would be readable';
  return undefined;
}

/**
 * Whether a text is a password hash. No digest can be made of it, and as a key it would let in
 * anyone who has read it.
 */
export const isPasswordHash = (text: string): boolean =>
  /^\$[0-9a-z-]+\$|^\{(S?SHA\d*|S?MD5|CRYPT)\}|^(pbkdf2|scrypt|argon2\w*|bcrypt\w*)\b.*[$:]|^(md5|sha1|sha224|sha384|sha512)[:$]|^(pbkdf2_)?(sha1|sha256|sha512)\$|^sha(256|384|512)-[A-Za-z0-9+/]+=*$/i.test(
    text,
  );

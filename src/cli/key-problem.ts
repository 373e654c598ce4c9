import { parseApiKey } from '../keys/key-format.js';
import { findKey, findKeys } from './secrets.js';

/** What is wrong with a text that is meant to be one key of this library. Holds no part of it. */
export interface KeyProblem {
  readonly code: 'quoted_key' | 'more_than_key' | 'mistyped_key';
  /** Completes "your key ..." or "the key in entry 2 ...". */
  readonly what: string;
  readonly remedy: string;
}

export const leftOverQuote = 'has a quote left over';
export const aloneRemedy = 'give the key alone';

/** Such as byte order marks and zero-width spaces. */
const invisible = /[\p{Cf}\p{Cc}\p{Zl}\p{Zp}\u00a0]/u;

/**
 * The text around one of this library's keys, which is found by form and checksum. `undefined` if
 * there is no key or nothing around it.
 */
export function moreThanKey(text: string): KeyProblem | undefined {
  if (parseApiKey(text)) return undefined;
  const keys = findKeys(text);
  const [first] = keys;
  if (!first) return findKey(text.replaceAll(/[\s\p{Cf}]+/gu, '')) && brokenUp(text);
  const around = keys.reduceRight(
    (rest, { start, end }) => `${rest.slice(0, start)}\0${rest.slice(end)}`,
    text,
  );
  return problem('more_than_key', ...describe(around, text.slice(0, first.start), keys.length));
}

/** A key with a blank or a line break in the middle of it. */
function brokenUp(text: string): KeyProblem {
  const isSeen = /\s/.test(text) && !/\p{Cf}/u.test(text);
  return problem(
    'more_than_key',
    `has ${isSeen ? 'blanks' : 'invisible characters'} inside`,
    'write it without them',
  );
}

/** @param around the text with NUL in place of each key */
function describe(around: string, before: string, keys: number): [what: string, remedy: string] {
  const rest = around.replaceAll('\0', '');
  const [escape] = /\\[nrt]/.exec(rest) ?? [];
  if (escape !== undefined) {
    return [
      `has ${escape} written out, as a backslash and a letter`,
      'take it out, and write a comma between entries',
    ];
  }
  if (/[[\]{}]/.test(rest)) {
    return [
      'has brackets around it, as in JSON',
      'write entries with commas between, and no brackets or quotes',
    ];
  }
  if (keys > 1) {
    const [separator = 'nothing'] = /[^\w\s"'`:.@-]/.exec(rest) ?? [];
    const what = /^[\x21-\x7e]$/.test(separator) ? separator : 'no comma';
    return [`has ${what} between it and another`, 'write a comma between entries'];
  }
  if (/["'`\u2018\u2019\u201c\u201d]/.test(rest)) {
    return [leftOverQuote, 'remove the quote'];
  }
  if (/^[A-Za-z]+\s+$/.test(before)) {
    return ['has a word in front of it, as in Bearer <key>', 'write what is behind it alone'];
  }
  if (invisible.test(rest)) {
    return ['has invisible characters around it', 'delete it and type or paste it anew'];
  }
  return ['has other text around it, as in NAME=<key> or user:<key>', aloneRemedy];
}

/** As many characters as a key may have lost or gained if nothing but its form is known. */
const nearTail = /^[0-9A-Za-z]{38,58}$/;

/**
 * Whether the text begins like a key of this library but has a wrong checksum or length. Keys
 * from elsewhere may look alike.
 *
 * @param prefixes the known prefixes of keys. After any other, only a text of nearly the right
 *   length counts
 */
export function mistypedKey(text: string, prefixes?: ReadonlySet<string>): KeyProblem | undefined {
  const [, prefix = '', tail = ''] =
    /^([a-z][a-z0-9]*(?:_[a-z0-9]+)*)_([0-9A-Za-z]{10,60})$/.exec(text) ?? [];
  if (prefix === '' || parseApiKey(text)) return undefined;
  // Random base62 of this length has letters of both cases. Other texts are hexadecimal, from
  // elsewhere.
  const isNear = nearTail.test(tail) && /[A-Z]/.test(tail) && /[a-z]/.test(tail);
  if (prefixes && !prefixes.has(prefix) && !isNear) return undefined;
  return problem(
    'mistyped_key',
    'looks like one of this library, but its checksum does not fit: it is cut off or mistyped',
    'copy it again, from its first to its last character',
  );
}

/** Whether the text stands in quotes, which are then a part of it. */
export const isQuoted = (text: string) => /^["'`\u2018\u201c].*["'`\u2019\u201d]$/s.test(text);

const problem = (code: KeyProblem['code'], what: string, remedy: string): KeyProblem => ({
  code,
  what,
  remedy,
});

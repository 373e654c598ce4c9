import { parseApiKey } from '../keys/key-format.js';
import { maskSecrets } from '../lib/mask.js';
import { Misuse } from './failure.js';

const secrets = new Set<string>();

/**
 * Makes `mask` hide this text from now on. Short texts are not hidden, because they occur in
 * innocent words.
 */
export function rememberSecret(text: string): void {
  if (text.length >= 8) secrets.add(text);
}

/**
 * Masks connection passwords, keys and other known secrets in text from elsewhere. Never used for
 * this program's own sentences: a password such as `password` occurs in them too.
 */
export function mask(text: string): string {
  let masked = text;
  for (const secret of secrets) masked = masked.replaceAll(secret, '<secret>');
  return maskSecrets(masked);
}

interface FoundKey {
  readonly keyId: string;
  readonly start: number;
  readonly end: number;
}

const behindPrefix = /_(?=([0-9A-Za-z]{48}))/g;
const longestPrefix = 32;

/** The keys of this library in the text, found by form and checksum, with any text around them. */
export function findKeys(text: string): FoundKey[] {
  const found: FoundKey[] = [];
  for (const { index, 1: tail = '' } of text.matchAll(behindPrefix)) {
    const end = index + 1 + tail.length;
    // Other text may run into the prefix, as in `\nkey_...` with a backslash. The checksum shows
    // where the key begins.
    for (let start = Math.max(index - longestPrefix, 0); start < index; start++) {
      const parsed = parseApiKey(text.slice(start, end));
      if (!parsed) continue;
      found.push({ keyId: parsed.keyId, start, end });
      break;
    }
  }
  return found;
}

/** The first key of this library's form in the text, if there is one. */
export const findKey = (text: string): FoundKey | undefined => findKeys(text)[0];

/**
 * @throws {Misuse} if a key is in the arguments: the list of processes and the shell history
 *   would show it.
 */
export function refuseKeysIn(args: readonly string[]): void {
  for (const arg of args) {
    const found = findKey(arg);
    if (!found) continue;
    throw new Misuse(
      `the key ${found.keyId} is in the arguments, where other users of this machine and the ` +
        'shell history can see it: replace this key; give a key on standard input or with ' +
        '--key-file, and elsewhere only its key id',
    );
  }
}

/** Whether a text may be repeated in a message. Anything but a name may be a misplaced key. */
export const isShowableName = (text: string) => /^[\w.@+-]{1,24}$/.test(text);

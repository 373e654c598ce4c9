import { parseApiKey } from '../keys/key-format.js';
import { findKeyLike, maskSecrets } from '../lib/mask.js';
import { Misuse } from './failure.js';

const secrets = new Set<string>();

/** From now on this text is masked in what comes from outside. Short ones turn up in innocent words. */
export function rememberSecret(text: string): void {
  if (text.length >= 8) secrets.add(text);
}

/**
 * Text of other origin without connection passwords, keys and what else is known to be secret.
 * Never for sentences of our own: a password such as `password` stands in them too.
 */
export function mask(text: string): string {
  let masked = text;
  for (const secret of secrets) masked = masked.replaceAll(secret, '<secret>');
  return maskSecrets(masked);
}

/** The key in the text, if one of this library's form does. */
export function findKey(text: string): { keyId: string } | undefined {
  for (const candidate of findKeyLike(text)) {
    const parsed = parseApiKey(candidate);
    if (parsed) return parsed;
  }
  return undefined;
}

/** @throws {Misuse} where a key is in the arguments: whoever lists processes or reads the shell history has it then. */
export function refuseKeysIn(args: readonly string[]): void {
  for (const arg of args) {
    const found = findKey(arg);
    if (!found) continue;
    throw new Misuse(
      `the key ${found.keyId} is in the arguments, where other users of this machine and the shell history can see it: ` +
        'replace this key; give a key on standard input or with --key-file, and elsewhere only its key id',
    );
  }
}

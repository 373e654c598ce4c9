import type { KeySource } from '../keys/key-source.js';
import { parseKeyPairs } from './key-entries.js';
import { assertArgument, checkOptions, mustBeScopes } from '../lib/options.js';
import { mustBeVariableName } from './env-key.js';
import { EnvironmentSource } from './environment-source.js';

/** What goes for every key of the variable. */
export interface EnvKeyListOptions {
  /** What each of the keys may do: scopes by RFC 6749, section 3.3. Default `[]`. */
  scopes?: readonly string[] | undefined;
}

/**
 * A key source of `user:key` pairs in one environment variable, split by commas or newlines; each
 * key plain or as `sha256:<64 hex>`. A user may stand twice while a key is replaced. Blanks around
 * entries, users and keys count for nothing, nor do blank entries.
 *
 * The variable is read at first use; once it is found set it is kept until the process restarts.
 * Unset, blank or an unresolved reference (`${X}`, `$env://X`), it holds no key. A key under 32
 * characters, or a sample, works and is warned of once.
 *
 * A pair without a user or a key, or one key under two users, makes the whole list unusable until
 * it is fixed and the process restarted: a process warning names the place, and keys that no other
 * source knows are answered 503.
 *
 * @param name the variable, such as `API_KEYS`: at most 64 letters, digits and `_`
 * @throws {TypeError} for a wrong name or option.
 */
export function envKeyList(name: string, options?: EnvKeyListOptions): KeySource {
  assertArgument('envKeyList', 'the name', name, mustBeVariableName);
  const { scopes = [] } = checkOptions<EnvKeyListOptions>('envKeyList', options, {
    scopes: mustBeScopes,
  });
  return new EnvironmentSource(name, parseKeyPairs, scopes);
}

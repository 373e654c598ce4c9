import type { KeySource } from '../key-source.js';
import { parseKeyPairs } from '../lib/key-entries.js';
import { assertArgument, checkOptions, isScopes } from '../lib/options.js';
import { isVariable } from './env-key.js';
import { EnvironmentSource } from './environment-source.js';

export interface EnvKeyListOptions {
  /** What each of the keys may do. Default `[]`. */
  scopes?: readonly string[] | undefined;
}

/**
 * `user:key` pairs in one environment variable, split by commas or newlines; the key plain or as `sha256:<64 hex>`. A user may
 * stand twice while a key is replaced.
 *
 * A pair without a user or a key, or one key under two users, makes the whole list unusable until it is mended and the process
 * restarted: a process warning names the place, and keys that no other source knows are answered 503.
 *
 * @param name the variable, such as `API_KEYS`
 * @throws {TypeError} for a wrong name or option.
 */
export function envKeyList(name: string, options?: EnvKeyListOptions): KeySource {
  assertArgument('envKeyList', 'the name', name, isVariable);
  const { scopes = [] } = checkOptions<EnvKeyListOptions>('envKeyList', options, { scopes: isScopes });
  return new EnvironmentSource(name, parseKeyPairs, scopes);
}

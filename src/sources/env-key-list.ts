import type { KeySource } from '../keys/key-source.js';
import { parseKeyPairs } from './key-entries.js';
import { assertArgument, checkOptions, mustBeScopes } from '../lib/options.js';
import { mustBeVariableName } from './env-key.js';
import { EnvironmentSource } from './environment-source.js';

/** Options for all keys of the variable. */
export interface EnvKeyListOptions {
  /** What each key may do: scopes by RFC 6749, section 3.3. Default `[]`. */
  scopes?: readonly string[] | undefined;
}

/**
 * A key source that reads `user:key` pairs from one environment variable. Pairs are separated by
 * commas or newlines. Each key is plain or `sha256:<64 hex>`. A user may have two pairs while a
 * key is replaced. Blanks around entries, users and keys are ignored, and so are blank entries.
 *
 * The variable is read at first use. Once it is set, its value is kept until the process
 * restarts. If it is unset, blank or an unresolved reference (`${X}`, `$env://X`), it holds no
 * key. A key under 32 characters or a sample key works, with one warning.
 *
 * The whole list is unusable if a pair has no user or no key, or if two users share a key. A
 * process warning names the place. Keys that no other source knows are then answered 503, until
 * the variable is fixed and the process restarted.
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

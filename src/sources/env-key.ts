import type { KeySource } from '../keys/key-source.js';
import { isKeyLike } from '../lib/mask.js';
import { parseKeys } from './key-entries.js';
import {
  assertArgument,
  checkOptions,
  mustBeName,
  mustBeScopes,
  type Check,
} from '../lib/options.js';
import { EnvironmentSource } from './environment-source.js';

/** Options for the key of the variable. */
export interface EnvKeyOptions {
  /**
   * The user that the key belongs to: neither blank nor with control characters. Default
   * `default`.
   */
  user?: string | undefined;
  /** What the key may do: scopes by RFC 6749, section 3.3. Default `[]`. */
  scopes?: readonly string[] | undefined;
}

/**
 * A key source that reads one key from one environment variable, plain or as `sha256:<64 hex>`.
 * It may be `new,old` while clients switch.
 *
 * The variable is read at first use. Once it is set, its value is kept until the process
 * restarts. If it is unset, blank or an unresolved reference (`${X}`, `$env://X`), it holds no
 * key. A key under 32 characters or a sample key works, with one warning.
 *
 * The variable is unusable if its value cannot be a key: a blank inside, a character beyond
 * ASCII, over 512 characters, or `sha256:` before something else. A process warning says so. Keys
 * that no other source knows are then answered 503, until the variable is fixed and the process
 * restarted.
 *
 * @param name the variable, such as `INTERNAL_API_KEY`: at most 64 letters, digits and `_`
 * @throws {TypeError} for a wrong name or option.
 */
export function envKey(name: string, options?: EnvKeyOptions): KeySource {
  assertArgument('envKey', 'the name', name, mustBeVariableName);
  const { user = 'default', scopes = [] } = checkOptions<EnvKeyOptions>('envKey', options, {
    user: mustBeName,
    scopes: mustBeScopes,
  });
  return new EnvironmentSource(name, (value) => parseKeys(value, user), scopes);
}

/** A name that a shell can export. */
export const mustBeVariableName: Check = (value) => {
  // `envKey(process.env.KEY)` passes the key itself, and a source's name appears in logs.
  return typeof value === 'string' &&
    /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(value) &&
    !isKeyLike(value)
    ? undefined
    : 'the name of an environment variable';
};

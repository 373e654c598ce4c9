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

/** Whose key the variable holds, and what it may do. */
export interface EnvKeyOptions {
  /** Whose key it is: neither blank nor with control characters. Default `default`. */
  user?: string | undefined;
  /** What it may do: scopes by RFC 6749, section 3.3. Default `[]`. */
  scopes?: readonly string[] | undefined;
}

/**
 * A key source of one key in one environment variable, plain or as `sha256:<64 hex>`; `new,old`
 * while clients switch.
 *
 * The variable is read at first use; once it is found set it is kept until the process restarts.
 * Unset, blank or an unresolved reference (`${X}`, `$env://X`), it holds no key. A key under 32
 * characters, or a sample, works and is warned of once. What can be no key (a blank inside, a
 * character beyond ASCII, over 512 characters, `sha256:` before something else) makes the variable
 * unusable until it is fixed and the process restarted: a process warning says so, and keys that no
 * other source knows are answered 503.
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
  // `envKey(process.env.KEY)` passes the key itself, and the name of a source stands in logs.
  return typeof value === 'string' &&
    /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(value) &&
    !isKeyLike(value)
    ? undefined
    : 'the name of an environment variable';
};

import type { KeySource } from '../key-source.js';
import { parseKeys } from '../lib/key-entries.js';
import { assertArgument, checkOptions, isName, isScopes, isKeyLike } from '../lib/options.js';
import { EnvironmentSource } from './environment-source.js';

export interface EnvKeyOptions {
  /** Whose key it is. Default `default`. */
  user?: string | undefined;
  /** What it may do. Default `[]`. */
  scopes?: readonly string[] | undefined;
}

/**
 * One key in one environment variable, plain or as `sha256:<64 hex>`; `new,old` while clients switch.
 * Unset, blank, or an unresolved reference (`${X}`, `$env://X`) matches nothing.
 *
 * @param name the variable, such as `INTERNAL_API_KEY`
 * @throws {TypeError} for a wrong name or option.
 */
export function envKey(name: string, options?: EnvKeyOptions): KeySource {
  assertArgument('envKey', 'the name', name, isVariable);
  const { user = 'default', scopes = [] } = checkOptions<EnvKeyOptions>('envKey', options, {
    user: isName,
    scopes: isScopes,
  });
  return new EnvironmentSource(name, (value) => parseKeys(value, user), scopes);
}

/** What a shell can export. */
export function isVariable(value: unknown): string | undefined {
  // `envKey(process.env.KEY)` passes the key itself, and the name of a source stands in logs.
  return typeof value === 'string' && /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(value) && !isKeyLike(value)
    ? undefined
    : 'the name of an environment variable';
}

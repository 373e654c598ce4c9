import type { Check } from '../lib/options.js';
import { ApiKeyManager } from '../manager/api-key-manager.js';

/** Checked by its class, not its shape: a look-alike of a manager could let anyone in. */
export const mustBeManager: Check = (value) =>
  value instanceof ApiKeyManager
    ? undefined
    : 'an ApiKeyManager, from the same copy of this library ("import" both, or "require" both)';

/**
 * An absolute http address without a login, or a path. Two slashes begin the name of another
 * host, and browsers read a backslash as a slash. The key or the user would be sent there.
 */
export const mustBeAddress: Check = (value) => {
  const expected = 'an http or https address, or a path that begins with one "/"';
  if (typeof value !== 'string' || !/^(https?:\/\/[^/\\]|\/(?![/\\]))/i.test(value))
    return expected;
  if (!URL.canParse(value, 'http://localhost')) return expected;
  const { username, password } = new URL(value, 'http://localhost');
  return username === '' && password === '' ? undefined : expected;
};

/** The address at which users open a page. Absolute, because nothing else tells its host. */
export const mustBePublicUrl: Check = (value) =>
  mustBeAddress(value) ?? (String(value).startsWith('/') ? 'an http or https address' : undefined);

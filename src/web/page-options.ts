import type { Check } from '../lib/options.js';
import { ApiKeyManager } from '../manager/api-key-manager.js';

/** Not by its shape: what merely looks like a manager may let anyone in. */
export const mustBeManager: Check = (value) =>
  value instanceof ApiKeyManager
    ? undefined
    : 'an ApiKeyManager, from the same copy of this library ("import" both, or "require" both)';

/**
 * An absolute http address without a login, or a path. Two slashes begin the name of another host, and a backslash is read as a slash:
 * what stands there would be sent the key, or the reader.
 */
export const mustBeAddress: Check = (value) => {
  const expected = 'an http or https address, or a path that begins with one "/"';
  if (typeof value !== 'string' || !/^(https?:\/\/[^/\\]|\/(?![/\\]))/i.test(value))
    return expected;
  if (!URL.canParse(value, 'http://localhost')) return expected;
  const { username, password } = new URL(value, 'http://localhost');
  return username === '' && password === '' ? undefined : expected;
};

/** Where readers open a page: absolute, as there is nothing else to tell its host by. */
export const mustBePublicUrl: Check = (value) =>
  mustBeAddress(value) ?? (String(value).startsWith('/') ? 'an http or https address' : undefined);

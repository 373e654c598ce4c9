import type { Check } from '../lib/options.js';
import { ApiKeyManager } from '../manager/api-key-manager.js';

/** Not by its shape: what merely looks like a manager may let anyone in. */
export const mustBeManager: Check = (value) =>
  value instanceof ApiKeyManager
    ? undefined
    : 'an ApiKeyManager, from the same copy of this library ("import" both, or "require" both)';

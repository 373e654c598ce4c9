import { onTestFinished } from 'vitest';
import { ApiKeyManager, type ApiKeyManagerOptions, type KeyStore } from '../../src/index.js';
import { Clock, CountingStore } from './counting-store.js';

/** A manager on a counted store, with a clock that stands still; closed with the test. */
export function openManager<Store extends KeyStore = CountingStore>(
  options: Partial<ApiKeyManagerOptions> & { store?: Store } = {},
) {
  const clock = new Clock();
  const store = options.store ?? (new CountingStore() as KeyStore as Store);
  const keys = new ApiKeyManager({ now: clock.now, ...options, store });
  onTestFinished(() => keys.close());
  const codeOf = async (key: string) => {
    const result = await keys.verify(key);
    return result.ok ? 'admitted' : result.code;
  };
  return { clock, store, keys, codeOf };
}

/** For `store.before`: every call fails. */
export const down = () => {
  throw new Error('connection refused');
};

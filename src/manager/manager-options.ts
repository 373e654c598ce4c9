import { mustBePrefix } from '../keys/key-format.js';
import { dayMs, yearMs } from '../lib/durations.js';
import {
  ArgumentError,
  ArgumentRangeError,
  assertArgument,
  assertRange,
  checkOptions,
  mustBeBoolean,
  mustBeFunction,
  type Check,
} from '../lib/options.js';
import { notSupported } from '../stores/key-store-error.js';
import type { KeyStore } from '../stores/key-store.js';
import { mustBeNumber } from './checks.js';

/** Where a manager keeps its records, what it allows, and how long it may go by what it knows without asking there. */
export interface ApiKeyManagerOptions {
  /** Where records are kept: a `PostgresKeyStore`, a `MemoryKeyStore` or one of your own. Required. */
  store: KeyStore;
  /** What new keys begin with: lower-case words of letters and digits joined by `_`, at most 32 characters. Default `key`. */
  prefix?: string | undefined;
  /**
   * Whether keys of another form, taken over with `import` or `adopt`, are accepted. Then every unknown text that is presented costs
   * a query, not only one that has the library's form and a right checksum. Default `false`.
   */
  legacyKeys?: boolean | undefined;
  /**
   * For how long a key that was looked up is trusted while the store announces no changes, because it cannot or its connection is
   * down, or does not say from time to time that it is alive: in milliseconds, an integer from 0 to 86 400 000 (a day). Until then a
   * change made elsewhere may go unseen. Default 30 000.
   */
  cacheTtlMs?: number | undefined;
  /**
   * For how long a known key works on when the store fails, counted from when it was last known to be right: in milliseconds, an
   * integer from 0 to 86 400 000 (a day). It bounds `cacheTtlMs` as well: with 0, a store that is not seen alive is asked for each
   * request. Default 300 000 (5 minutes).
   */
  staleIfErrorMs?: number | undefined;
  /**
   * How many known keys are kept in memory, and how many unknown ones, all as digests: an integer from 1 to 10 000 000. Unknown ones
   * never push out known ones. Default 10 000.
   */
  maxCachedKeys?: number | undefined;
  /**
   * How far `lastUsedAt` may be behind the truth: uses are written in batches, about once in this time. In milliseconds, an integer
   * from 0 to 86 400 000 (a day). Default 60 000.
   */
  lastUsedIntervalMs?: number | undefined;
  /** Whether uses are counted by key and day. Default `true` if the store keeps them. */
  countUses?: boolean | undefined;
  /**
   * The most keys that a user may have: unrevoked and unexpired ones without a successor. An integer from 1 to 1 000 000. A rotation
   * does not count, and keys that exist already are left alone. Default no limit.
   */
  maxKeysPerUser?: number | undefined;
  /** How long a new key works if nothing is said, in milliseconds, an integer from 1 to 100 years. Default without an end. */
  defaultLifetimeMs?: number | undefined;
  /** How long a new key may work at most, in milliseconds, an integer from 1 to 100 years. Default without a limit. */
  maxLifetimeMs?: number | undefined;
  /** The clock by which keys and claim links expire, in milliseconds since 1970: for tests. Default `Date.now`. */
  now?: (() => number) | undefined;
}

const mustBeStore: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  'findByDigest' in value &&
  typeof value.findByDigest === 'function'
    ? undefined
    : 'a key store, such as a PostgresKeyStore or a MemoryKeyStore';

export function checkManagerOptions(options: ApiKeyManagerOptions): ApiKeyManagerOptions {
  const caller = 'ApiKeyManager';
  if (mustBeStore(options) === undefined)
    throw new ArgumentError(
      caller,
      'a key store is an option: write new ApiKeyManager({ store })',
      { option: 'store' },
    );
  const checked = checkOptions<ApiKeyManagerOptions>(caller, options, {
    store: mustBeStore,
    prefix: mustBePrefix,
    legacyKeys: mustBeBoolean,
    cacheTtlMs: mustBeNumber,
    staleIfErrorMs: mustBeNumber,
    maxCachedKeys: mustBeNumber,
    lastUsedIntervalMs: mustBeNumber,
    countUses: mustBeBoolean,
    maxKeysPerUser: mustBeNumber,
    defaultLifetimeMs: mustBeNumber,
    maxLifetimeMs: mustBeNumber,
    now: mustBeFunction,
  });
  assertArgument(caller, '"store"', checked.store, mustBeStore);
  for (const name of ['cacheTtlMs', 'staleIfErrorMs', 'lastUsedIntervalMs'] as const) {
    assertRange(caller, name, checked[name], 0, dayMs);
  }
  assertRange(caller, 'maxCachedKeys', checked.maxCachedKeys, 1, 10_000_000);
  assertRange(caller, 'maxKeysPerUser', checked.maxKeysPerUser, 1, 1_000_000);
  assertRange(caller, 'defaultLifetimeMs', checked.defaultLifetimeMs, 1, 100 * yearMs);
  assertRange(caller, 'maxLifetimeMs', checked.maxLifetimeMs, 1, 100 * yearMs);
  const { defaultLifetimeMs = 0, maxLifetimeMs = Number.POSITIVE_INFINITY } = checked;
  if (defaultLifetimeMs > maxLifetimeMs)
    throw new ArgumentRangeError(caller, 'defaultLifetimeMs', 'at most "maxLifetimeMs"');
  if (checked.countUses && !checked.store.usage) throw notSupported('count uses');
  return checked;
}

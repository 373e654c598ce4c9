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

/** Where a manager keeps its records, what it allows, and how long it may trust its cache. */
export interface ApiKeyManagerOptions {
  /**
   * Keeps the records: a `PostgresKeyStore`, a `SqliteKeyStore`, a `MemoryKeyStore` or a store of
   * your own. Required.
   */
  store: KeyStore;
  /**
   * The start of new keys: lower-case words of letters and digits joined by `_`, at most 32
   * characters. Default `key`.
   */
  prefix?: string | undefined;
  /**
   * Whether keys of another form are accepted, such as those from `import` or `adopt`. Every
   * unknown text then costs a query, not only one with the library's form and a right checksum.
   * Default `false`.
   */
  legacyKeys?: boolean | undefined;
  /**
   * How long a cached key is trusted, in milliseconds, while change notifications are
   * unavailable: an integer from 0 to 86 400 000 (a day). Until then a change made elsewhere may
   * go unseen. Notifications are unavailable if the store has none, its connection is down, or it
   * has not confirmed lately that it is alive. Default 30 000.
   */
  cacheTtlMs?: number | undefined;
  /**
   * How long a cached key still works after the store fails, in milliseconds: an integer from 0
   * to 86 400 000 (a day). The time counts from when the key was last confirmed. It bounds
   * `cacheTtlMs` too: with 0, a store that is not known to be alive is asked for each request.
   * Default 300 000 (5 minutes).
   */
  staleIfErrorMs?: number | undefined;
  /**
   * How many known keys are cached, and how many unknown ones, all as digests: an integer from 1
   * to 10 000 000. Unknown ones never displace known ones. Default 10 000.
   */
  maxCachedKeys?: number | undefined;
  /**
   * How far `lastUsedAt` may lag, in milliseconds: an integer from 0 to 86 400 000 (a day). Uses
   * are written in batches, about once in this time. Default 60 000.
   */
  lastUsedIntervalMs?: number | undefined;
  /** Whether uses are counted by key and day. Default `true` if the store keeps them. */
  countUses?: boolean | undefined;
  /**
   * The most keys that a user may have: an integer from 1 to 1 000 000. Keys count if they are
   * neither revoked nor expired and have no successor. A rotation does not count, and existing
   * keys stay. Default no limit.
   */
  maxKeysPerUser?: number | undefined;
  /**
   * How long a new key works if no expiry is given, in milliseconds: an integer from 1 to 100
   * years. Default: without an end.
   */
  defaultLifetimeMs?: number | undefined;
  /**
   * How long a new key may work at most, in milliseconds: an integer from 1 to 100 years.
   * Default: without a limit.
   */
  maxLifetimeMs?: number | undefined;
  /**
   * The clock by which keys and claim links expire, in milliseconds since 1970, for tests.
   * Default `Date.now`.
   */
  now?: (() => number) | undefined;
}

const mustBeStore: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  'findByDigest' in value &&
  typeof value.findByDigest === 'function'
    ? undefined
    : 'a key store, such as a PostgresKeyStore or a MemoryKeyStore';

/** Checks the options of a manager and fills in their defaults. */
export function checkManagerOptions(options: ApiKeyManagerOptions) {
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
  return {
    store: checked.store,
    prefix: checked.prefix ?? 'key',
    legacyKeys: checked.legacyKeys ?? false,
    cacheTtlMs: checked.cacheTtlMs ?? 30_000,
    staleIfErrorMs: checked.staleIfErrorMs ?? 300_000,
    maxCachedKeys: checked.maxCachedKeys ?? 10_000,
    lastUsedIntervalMs: checked.lastUsedIntervalMs ?? 60_000,
    countUses: checked.countUses ?? true,
    maxKeysPerUser: checked.maxKeysPerUser,
    defaultLifetimeMs: checked.defaultLifetimeMs,
    maxLifetimeMs: checked.maxLifetimeMs,
    now: checked.now ?? Date.now,
  };
}

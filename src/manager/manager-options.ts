import { mustBePrefix } from '../keys/key-format.js';
import { isPresentable } from '../http/presented-key.js';
import { digestApiKey, parseDigest } from '../keys/digest.js';
import { dayMs, yearMs } from '../lib/durations.js';
import { isValidDate } from '../lib/is-valid-date.js';
import {
  assertArgument,
  checkOptions,
  describe,
  isName,
  isScopes,
  mustBeBoolean,
  mustBeFunction,
  mustBeName,
  mustBeScopes,
  mustBeString,
  type Check,
} from '../lib/options.js';
import type { KeyStatus } from '../stores/key-record.js';
import type { KeyStore } from '../stores/key-store.js';

const maxNameLength = 256;
const maxScopes = 100;
const maxMetadataLength = 10_000;

/** Where a manager keeps its records, and how long it may go by what it knows without asking there. */
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
  /** The clock by which keys and claim links expire, in milliseconds since 1970: for tests. Default `Date.now`. */
  now?: (() => number) | undefined;
}

/** What the record of a new key holds. */
export interface CreateKeyOptions {
  /** Whose key it is: 1 to 256 characters, neither blank nor with control characters. Required. */
  user: string;
  /** What its user calls the key: 1 to 256 characters, neither blank nor with control characters. Default none. */
  name?: string | undefined;
  /** What it may do: at most 100 scopes by RFC 6749, section 3.3, of at most 256 characters. Default `[]`. */
  scopes?: readonly string[] | undefined;
  /** The instant from which the key is refused, in the years 1 to 9999. Default never. */
  expiresAt?: Date | undefined;
  /** What the route is to be given with the identity: a JSON object of at most 10 000 characters. Default `{}`. */
  metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** A key that exists already, by exactly one of `key` and `digest`, and what its record holds. */
export interface ImportKeyOptions extends CreateKeyOptions {
  /**
   * The key itself, 1 to 512 characters of visible ASCII without a comma, which is hashed at once; or its digest, `sha256:<64 hex>`, as
   * everywhere a key may stand.
   */
  key?: string | undefined;
  /** Its digest, as `digestApiKey` makes it: `sha256:<64 hex>`. */
  digest?: string | undefined;
}

/** What is to be different in a record; what is not named stays as it is. */
export interface UpdateKeyOptions {
  /** What its user calls the key: 1 to 256 characters, neither blank nor with control characters; `null` takes the name away. */
  name?: string | null | undefined;
  /** What the key may do, in place of what it might before: at most 100 scopes by RFC 6749, section 3.3, of at most 256 characters. */
  scopes?: readonly string[] | undefined;
  /** The instant from which the key is refused, in the years 1 to 9999; `null` takes the expiry away. */
  expiresAt?: Date | null | undefined;
  /** A JSON object of at most 10 000 characters, in place of the one before. */
  metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Which keys are listed, and how many at a time. */
export interface ListKeysOptions {
  /** Keys of exactly this user. Default those of all. */
  user?: string | undefined;
  /**
   * Keys with this text in the user, the name or the key id: literally, whatever the case of its letters, at most 256 characters.
   * Default all.
   */
  search?: string | undefined;
  /** Keys of this status now; `active` means every usable key here, `expiring` and `rotating` ones too. Default all. */
  status?: KeyStatus | undefined;
  /** How many records at most, 1 to 1 000. Default 100. */
  limit?: number | undefined;
  /** The `keyId` of the last record of the page before. Default: from the newest on. */
  cursor?: string | undefined;
}

/** How long the old key and its successor both work. */
export interface RotateKeyOptions {
  /** How long the old key works on, in milliseconds, an integer from 0 to 31 536 000 000 (365 days). Default 86 400 000 (a day). */
  overlapMs?: number | undefined;
  /** From when that is counted: the rotation, or the successor's first use, until which the old key works. Default `now`. */
  startsAt?: 'now' | 'first-use' | undefined;
}

/** How far a revocation goes. */
export interface RevokeKeyOptions {
  /** Revokes also every key that rotations link to this one, before and after it. Default `false`. */
  family?: boolean | undefined;
}

/** How old a dead record has to be for it to be deleted. */
export interface PruneOptions {
  /** How long ago a key must have been revoked or have expired, in milliseconds, an integer from 0 to 100 years. Required. */
  olderThanMs: number;
}

export const mustBeText: Check = (value) =>
  isName(value) && value.length > maxNameLength
    ? `at most ${maxNameLength} characters long`
    : mustBeName(value);

const mustBeScopeList: Check = (value) =>
  isScopes(value) &&
  (value.length > maxScopes || value.some(({ length }) => length > maxNameLength))
    ? `an array of at most ${maxScopes} scopes, each of at most ${maxNameLength} characters`
    : mustBeScopes(value);

const mustBeInstant: Check = (value) => {
  if (!isValidDate(value)) return 'a valid Date';
  const year = value.getUTCFullYear();
  return year >= 1 && year <= 9999 ? undefined : 'a Date in the years 1 to 9999';
};

const mustBeMetadata: Check = (value) => {
  const expected = `a JSON object of at most ${maxMetadataLength} characters, without NUL characters`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return expected;
  try {
    const json = JSON.stringify(value);
    // PostgreSQL's jsonb can hold neither NUL nor half a surrogate pair.
    return json.length <= maxMetadataLength && !/\\u(0000|d[89a-f]..)/i.test(json)
      ? undefined
      : expected;
  } catch {
    return expected;
  }
};

const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? undefined : check(value);

export const oneOf =
  (...known: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && known.includes(value)
      ? undefined
      : known.map((each) => `"${each}"`).join(' or ');

const mustBeStore: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  'findByDigest' in value &&
  typeof value.findByDigest === 'function'
    ? undefined
    : 'a key store, such as a PostgresKeyStore or a MemoryKeyStore';

export const mustBeNumber: Check = (value) => (typeof value === 'number' ? undefined : 'a number');

/** @throws {RangeError} where a number is not a whole one within its bounds. */
export function assertRange(
  caller: string,
  name: string,
  value: number | undefined,
  from: number,
  to: number,
): void {
  if (value === undefined || (Number.isInteger(value) && value >= from && value <= to)) return;
  throw new RangeError(
    `${caller}: "${name}" must be an integer from ${from} to ${to}; received ${value}`,
  );
}

export function checkManagerOptions(options: ApiKeyManagerOptions): ApiKeyManagerOptions {
  const caller = 'ApiKeyManager';
  if (mustBeStore(options) === undefined)
    throw new TypeError(`${caller}: a key store is an option: write new ApiKeyManager({ store })`);
  const checked = checkOptions<ApiKeyManagerOptions>(caller, options, {
    store: mustBeStore,
    prefix: mustBePrefix,
    legacyKeys: mustBeBoolean,
    cacheTtlMs: mustBeNumber,
    staleIfErrorMs: mustBeNumber,
    maxCachedKeys: mustBeNumber,
    lastUsedIntervalMs: mustBeNumber,
    now: mustBeFunction,
  });
  assertArgument(caller, '"store"', checked.store, mustBeStore);
  for (const name of ['cacheTtlMs', 'staleIfErrorMs', 'lastUsedIntervalMs'] as const) {
    assertRange(caller, name, checked[name], 0, dayMs);
  }
  assertRange(caller, 'maxCachedKeys', checked.maxCachedKeys, 1, 10_000_000);
  return checked;
}

export const createChecks = {
  user: mustBeText,
  name: mustBeText,
  scopes: mustBeScopeList,
  expiresAt: mustBeInstant,
  metadata: mustBeMetadata,
};

export function checkCreateOptions(options: unknown): CreateKeyOptions {
  const checked = checkOptions<CreateKeyOptions>('create', options, createChecks);
  assertArgument('create', '"user"', checked.user, mustBeText);
  return checked;
}

/** A key that is taken over: its record's fields, and what is known of it. */
export interface CheckedImport {
  readonly fields: CreateKeyOptions;
  /** In lower case. */
  readonly digest: string;
  /** Where the key was given by itself. */
  readonly key: string | undefined;
}

export function checkImportOptions(options: unknown): CheckedImport {
  const { key, digest, ...fields } = checkOptions<ImportKeyOptions>('import', options, {
    ...createChecks,
    key: mustBeKeyOrDigest,
    digest: (value) => (isDigest(value) ? undefined : '"sha256:" and 64 hexadecimal digits'),
  });
  assertArgument('import', '"user"', fields.user, mustBeText);
  const given = key ?? digest;
  if (given === undefined || (key !== undefined && digest !== undefined)) {
    throw new TypeError('import: give either "key" or "digest"');
  }
  return isDigest(given)
    ? { fields, digest: given.toLowerCase(), key: undefined }
    : { fields, digest: digestApiKey(given), key: given };
}

const isDigest = (value: unknown) => typeof value === 'string' && parseDigest(value) !== undefined;

const mustBeKeyOrDigest: Check = (value) => {
  // Taken for a key, a digest would let in whoever has read it where it is stored.
  if (typeof value === 'string' && /^sha256:/i.test(value))
    return isDigest(value) ? undefined : 'a key, or "sha256:" and 64 hexadecimal digits';
  return typeof value === 'string' && isPresentable(value)
    ? undefined
    : 'a key that a header can carry: 1 to 512 characters of visible ASCII without a comma';
};

export function checkUpdateOptions(options: UpdateKeyOptions): UpdateKeyOptions {
  return checkOptions<UpdateKeyOptions>('update', options, {
    name: orNull(mustBeText),
    scopes: mustBeScopeList,
    expiresAt: orNull(mustBeInstant),
    metadata: mustBeMetadata,
  });
}

const mustBeSearch: Check = (value) =>
  typeof value === 'string' && value.length <= maxNameLength
    ? undefined
    : `a string of at most ${maxNameLength} characters`;

export function checkListOptions(options: ListKeysOptions | undefined): ListKeysOptions {
  const checked = checkOptions<ListKeysOptions>('list', options, {
    user: mustBeString,
    search: mustBeSearch,
    status: oneOf('active', 'expiring', 'rotating', 'paused', 'expired', 'revoked'),
    limit: mustBeNumber,
    cursor: mustBeString,
  });
  assertRange('list', 'limit', checked.limit, 1, 1_000);
  return checked;
}

export function checkRotateOptions(options: RotateKeyOptions | undefined): RotateKeyOptions {
  const checked = checkOptions<RotateKeyOptions>('rotate', options, {
    overlapMs: mustBeNumber,
    startsAt: oneOf('now', 'first-use'),
  });
  assertRange('rotate', 'overlapMs', checked.overlapMs, 0, yearMs);
  return checked;
}

export function checkRevokeOptions(options: RevokeKeyOptions | undefined): RevokeKeyOptions {
  return checkOptions<RevokeKeyOptions>('revoke', options, { family: mustBeBoolean });
}

export function checkPruneOptions(options: PruneOptions): PruneOptions {
  const checked = checkOptions<PruneOptions>('prune', options, { olderThanMs: mustBeNumber });
  assertArgument('prune', '"olderThanMs"', checked.olderThanMs, mustBeNumber);
  assertRange('prune', 'olderThanMs', checked.olderThanMs, 0, 100 * yearMs);
  return checked;
}

/** @throws {TypeError} where it is not a string; a key id is public, and still it is not printed: it could be a key. */
export function assertKeyId(caller: string, keyId: unknown): void {
  if (typeof keyId !== 'string')
    throw new TypeError(`${caller}: the key id must be a string; received ${describe(keyId)}`);
}

import { isPrefix } from '../key-format.js';
import { isPresentable } from '../lib/presented-key.js';
import { parseDigest } from '../lib/digest.js';
import {
  assertArgument,
  checkOptions,
  describe,
  isBoolean,
  isFunction,
  isName,
  isScopes,
  isString,
} from '../lib/options.js';
import type { Check } from '../lib/options.js';
import type { KeyStatus, KeyStore } from '../stores/key-store.js';

/** 30 days: whoever needs two keys for longer wants two keys. */
const maxOverlapMs = 30 * 24 * 3_600_000;
const dayMs = 24 * 3_600_000;
const yearMs = 365 * dayMs;
const maxNameLength = 256;
const maxScopes = 100;
const maxMetadataLength = 10_000;

export interface ApiKeyManagerOptions {
  /** Where records are kept. */
  store: KeyStore;
  /** What new keys begin with: lower-case words joined by `_`, at most 32 characters. Default `key`. */
  prefix?: string | undefined;
  /** Whether keys of another form, taken over with `import` or `adopt`, are accepted; each unknown one costs a query. Default `false`. */
  legacyKeys?: boolean | undefined;
  /** For how long a finding is good while the store announces no changes, in milliseconds, up to a day. Default 30 000. */
  cacheTtlMs?: number | undefined;
  /** For how long a known key works on when the store fails, in milliseconds, up to a day. Default 300 000 (5 minutes). */
  staleIfErrorMs?: number | undefined;
  /** How many known keys are kept in memory, and how many unknown ones; 1 to 10 000 000. Default 10 000. */
  maxCachedKeys?: number | undefined;
  /** How far `lastUsedAt` may be behind, in milliseconds, up to a day. Default 60 000. */
  lastUsedIntervalMs?: number | undefined;
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  now?: (() => number) | undefined;
}

/** What a new record holds. */
export interface CreateKeyOptions {
  /** Whose key it is: 1 to 256 characters. */
  user: string;
  /** What the owner calls the key: 1 to 256 characters. Default none. */
  name?: string | undefined;
  /** What it may do: at most 100 scopes. Default `[]`. */
  scopes?: readonly string[] | undefined;
  /** The instant from which it is refused. Default never. */
  expiresAt?: Date | undefined;
  /** A JSON object of at most 10 000 characters, handed to the route with the identity. Default `{}`. */
  metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** A key that exists already: exactly one of `key` and `digest`. */
export interface ImportKeyOptions extends CreateKeyOptions {
  /** The key itself: 1 to 512 characters of visible ASCII without a comma. It is hashed at once. */
  key?: string | undefined;
  /** Its digest: `sha256:<64 hex>`. */
  digest?: string | undefined;
}

/** `null` takes a name or an expiry away. */
export interface UpdateKeyOptions {
  name?: string | null | undefined;
  scopes?: readonly string[] | undefined;
  expiresAt?: Date | null | undefined;
  metadata?: Readonly<Record<string, unknown>> | undefined;
}

export interface ListKeysOptions {
  /** Keys of exactly this user. */
  user?: string | undefined;
  /** Keys with this text in the user, the name or the key id, at most 256 characters: literally, whatever the case of its letters. */
  search?: string | undefined;
  /** `active` means every usable key; `expiring` and `rotating` are among them. */
  status?: KeyStatus | undefined;
  /** 1 to 1 000. Default 100. */
  limit?: number | undefined;
  /** The `keyId` of the last record of the page before. */
  cursor?: string | undefined;
}

export interface RotateKeyOptions {
  /** How long both keys work, in milliseconds, 0 to 30 days. Default 86 400 000 (a day). */
  overlapMs?: number | undefined;
  /** From when that is counted: the rotation, or the new key's first use. Default `now`. */
  startsAt?: 'now' | 'first-use' | undefined;
}

export interface RevokeKeyOptions {
  /** Also every key that rotations link to this one, before and after it. Default `false`. */
  family?: boolean | undefined;
}

export interface PruneOptions {
  /** How long ago a key must have been revoked or have expired, in milliseconds. */
  olderThanMs: number;
}

export const isText: Check = (value) =>
  isName(value) ??
  ((value as string).length <= maxNameLength ? undefined : `at most ${maxNameLength} characters long`);

const isScopeList: Check = (value) =>
  isScopes(value) ??
  ((value as string[]).length <= maxScopes ? undefined : `an array of at most ${maxScopes} scopes`);

const isInstant: Check = (value) => {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) return 'a valid Date';
  const year = value.getUTCFullYear();
  return year >= 1 && year <= 9999 ? undefined : 'a Date in the years 1 to 9999';
};

const isMetadata: Check = (value) => {
  const expected = `a JSON object of at most ${maxMetadataLength} characters, without NUL characters`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return expected;
  try {
    const json = JSON.stringify(value);
    // PostgreSQL's jsonb can hold neither NUL nor half a surrogate pair.
    return json.length <= maxMetadataLength && !/\\u(0000|d[89a-f]..)/i.test(json) ? undefined : expected;
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

const isStore: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  'findByDigest' in value &&
  typeof value.findByDigest === 'function'
    ? undefined
    : 'a key store, such as a PostgresKeyStore or a MemoryKeyStore';

export const isNumber: Check = (value) => (typeof value === 'number' ? undefined : 'a number');

/** @throws {RangeError} where a number is not a whole one within its bounds. */
export function assertRange(
  caller: string,
  name: string,
  value: number | undefined,
  from: number,
  to: number,
): void {
  if (value === undefined || (Number.isInteger(value) && value >= from && value <= to)) return;
  throw new RangeError(`${caller}: "${name}" must be an integer from ${from} to ${to}; received ${value}`);
}

export function checkManagerOptions(options: ApiKeyManagerOptions): ApiKeyManagerOptions {
  const caller = 'ApiKeyManager';
  const checked = checkOptions<ApiKeyManagerOptions>(caller, options, {
    store: isStore,
    prefix: isPrefix,
    legacyKeys: isBoolean,
    cacheTtlMs: isNumber,
    staleIfErrorMs: isNumber,
    maxCachedKeys: isNumber,
    lastUsedIntervalMs: isNumber,
    now: isFunction,
  });
  assertArgument(caller, '"store"', checked.store, isStore);
  for (const name of ['cacheTtlMs', 'staleIfErrorMs', 'lastUsedIntervalMs'] as const) {
    assertRange(caller, name, checked[name], 0, dayMs);
  }
  assertRange(caller, 'maxCachedKeys', checked.maxCachedKeys, 1, 10_000_000);
  return checked;
}

export const createChecks = {
  user: isText,
  name: isText,
  scopes: isScopeList,
  expiresAt: isInstant,
  metadata: isMetadata,
};

export function checkCreateOptions(caller: string, options: CreateKeyOptions): CreateKeyOptions {
  const checked = checkOptions<CreateKeyOptions>(caller, options, createChecks);
  assertArgument(caller, '"user"', checked.user, isText);
  return checked;
}

export function checkImportOptions(options: ImportKeyOptions): ImportKeyOptions {
  const checked = checkOptions<ImportKeyOptions>('import', options, {
    ...createChecks,
    key: (value) =>
      typeof value === 'string' && isPresentable(value)
        ? undefined
        : 'a key that a header can carry: 1 to 512 characters of visible ASCII without a comma',
    digest: (value) =>
      typeof value === 'string' && parseDigest(value) ? undefined : '"sha256:" and 64 hexadecimal digits',
  });
  assertArgument('import', '"user"', checked.user, isText);
  if ((checked.key === undefined) === (checked.digest === undefined)) {
    throw new TypeError('import: give either "key" or "digest"');
  }
  return checked;
}

export function checkUpdateOptions(options: UpdateKeyOptions): UpdateKeyOptions {
  return checkOptions<UpdateKeyOptions>('update', options, {
    name: orNull(isText),
    scopes: isScopeList,
    expiresAt: orNull(isInstant),
    metadata: isMetadata,
  });
}

const isSearch: Check = (value) =>
  typeof value === 'string' && value.length <= maxNameLength
    ? undefined
    : `a string of at most ${maxNameLength} characters`;

export function checkListOptions(options: ListKeysOptions | undefined): ListKeysOptions {
  const checked = checkOptions<ListKeysOptions>('list', options, {
    user: isString,
    search: isSearch,
    status: oneOf('active', 'expiring', 'rotating', 'expired', 'revoked'),
    limit: isNumber,
    cursor: isString,
  });
  assertRange('list', 'limit', checked.limit, 1, 1_000);
  return checked;
}

export function checkRotateOptions(options: RotateKeyOptions | undefined): RotateKeyOptions {
  const checked = checkOptions<RotateKeyOptions>('rotate', options, {
    overlapMs: isNumber,
    startsAt: oneOf('now', 'first-use'),
  });
  assertRange('rotate', 'overlapMs', checked.overlapMs, 0, maxOverlapMs);
  return checked;
}

export function checkRevokeOptions(options: RevokeKeyOptions | undefined): RevokeKeyOptions {
  return checkOptions<RevokeKeyOptions>('revoke', options, { family: isBoolean });
}

export function checkPruneOptions(options: PruneOptions): PruneOptions {
  const checked = checkOptions<PruneOptions>('prune', options, { olderThanMs: isNumber });
  assertArgument('prune', '"olderThanMs"', checked.olderThanMs, isNumber);
  assertRange('prune', 'olderThanMs', checked.olderThanMs, 0, 100 * yearMs);
  return checked;
}

/** @throws {TypeError} where it is not a string; a key id is public, and still it is not printed: it could be a key. */
export function assertKeyId(caller: string, keyId: unknown): void {
  if (typeof keyId !== 'string')
    throw new TypeError(`${caller}: the key id must be a string; received ${describe(keyId)}`);
}

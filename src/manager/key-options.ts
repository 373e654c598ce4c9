import { isPresentable } from '../http/presented-key.js';
import { digestApiKey, parseDigest } from '../keys/digest.js';
import { yearMs } from '../lib/durations.js';
import {
  ArgumentError,
  assertArgument,
  assertRange,
  checkOptions,
  mustBeBoolean,
  mustBeName,
  type Check,
} from '../lib/options.js';
import type { KeyRecord } from '../stores/key-record.js';
import { changeChecks, type ChangedBy } from './change-options.js';
import {
  mustBeAddresses,
  mustBeInstant,
  mustBeMetadata,
  mustBeNumber,
  mustBeScopeList,
  mustBeText,
  oneOf,
  orNull,
} from './checks.js';

/** What the record of a new key holds. */
export interface CreateKeyOptions extends ChangedBy {
  /** Whose key it is: 1 to 256 characters, neither blank nor with control characters. Required. */
  user: string;
  /** What its user calls the key: 1 to 256 characters, neither blank nor with control characters. Default none. */
  name?: string | undefined;
  /** What it may do: at most 100 scopes by RFC 6749, section 3.3, of at most 256 characters. Default `[]`. */
  scopes?: readonly string[] | undefined;
  /** The instant from which the key is refused, in the years 1 to 9999. Default the manager's `defaultLifetimeMs`, else never. */
  expiresAt?: Date | undefined;
  /** What the route is to be given with the identity: a JSON object of at most 10 000 characters. Default `{}`. */
  metadata?: Readonly<Record<string, unknown>> | undefined;
  /** The addresses that may use the key: at most 100 IP addresses and CIDR blocks, `203.0.113.0/24`. Default `[]`, any address. */
  allowedAddresses?: readonly string[] | undefined;
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
export interface UpdateKeyOptions extends ChangedBy {
  /** Whose key it is from now on: 1 to 256 characters, neither blank nor with control characters. The key stays the same. */
  user?: string | undefined;
  /** What its user calls the key: 1 to 256 characters, neither blank nor with control characters; `null` takes the name away. */
  name?: string | null | undefined;
  /** What the key may do, in place of what it might before: at most 100 scopes by RFC 6749, section 3.3, of at most 256 characters. */
  scopes?: readonly string[] | undefined;
  /** The instant from which the key is refused, in the years 1 to 9999; `null` takes the expiry away. */
  expiresAt?: Date | null | undefined;
  /** A JSON object of at most 10 000 characters, in place of the one before. */
  metadata?: Readonly<Record<string, unknown>> | undefined;
  /** The addresses that may use the key, at most 100 IP addresses and CIDR blocks; `[]` for any. */
  allowedAddresses?: readonly string[] | undefined;
}

/** How long the old key and its successor both work. */
export interface RotateKeyOptions extends ChangedBy {
  /** How long the old key works on, in milliseconds, an integer from 0 to 31 536 000 000 (365 days). Default 86 400 000 (a day). */
  overlapMs?: number | undefined;
  /** From when that is counted: the rotation, or the successor's first use, until which the old key works. Default `now`. */
  startsAt?: 'now' | 'first-use' | undefined;
}

/** How far a revocation goes. */
export interface RevokeKeyOptions extends ChangedBy {
  /** Revokes also every key that rotations link to this one, before and after it. Default `false`. */
  family?: boolean | undefined;
}

/** Whose keys and claim links are revoked. */
export interface RevokeAllOptions extends ChangedBy {
  /** The user. Required. */
  user: string;
}

/** How long a key is paused. */
export interface PauseKeyOptions extends ChangedBy {
  /** The instant at which the pause ends by itself, in the future. Default when the key is resumed. */
  until?: Date | undefined;
}

/** A key that has just been made. The key itself cannot be shown again. */
export interface CreatedKey {
  /** The whole key, for its user alone. */
  readonly key: string;
  /** What is kept of the key. */
  readonly record: KeyRecord;
}

export const createChecks = {
  ...changeChecks,
  user: mustBeText,
  name: mustBeText,
  scopes: mustBeScopeList,
  expiresAt: mustBeInstant,
  metadata: mustBeMetadata,
  allowedAddresses: mustBeAddresses,
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
    throw new ArgumentError('import', 'give either "key" or "digest"', { option: 'key' });
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
    ...changeChecks,
    user: mustBeText,
    name: orNull(mustBeText),
    scopes: mustBeScopeList,
    expiresAt: orNull(mustBeInstant),
    metadata: mustBeMetadata,
    allowedAddresses: mustBeAddresses,
  });
}

export function checkRotateOptions(options: RotateKeyOptions | undefined): RotateKeyOptions {
  const checked = checkOptions<RotateKeyOptions>('rotate', options, {
    ...changeChecks,
    overlapMs: mustBeNumber,
    startsAt: oneOf('now', 'first-use'),
  });
  assertRange('rotate', 'overlapMs', checked.overlapMs, 0, yearMs);
  return checked;
}

export function checkRevokeOptions(options: RevokeKeyOptions | undefined): RevokeKeyOptions {
  return checkOptions<RevokeKeyOptions>('revoke', options, {
    ...changeChecks,
    family: mustBeBoolean,
  });
}

export function checkRevokeAllOptions(options: RevokeAllOptions): RevokeAllOptions {
  // Of any length: keys that were taken over from a table may have users of their own kind.
  const checked = checkOptions<RevokeAllOptions>('revokeAll', options, {
    ...changeChecks,
    user: mustBeName,
  });
  assertArgument('revokeAll', '"user"', checked.user, mustBeName);
  return checked;
}

/** Whether `until` is in the future is for the manager to say: it has the clock. */
export function checkPauseOptions(options: PauseKeyOptions | undefined): PauseKeyOptions {
  return checkOptions<PauseKeyOptions>('pause', options, { ...changeChecks, until: mustBeInstant });
}

export function checkResumeOptions(options: ChangedBy | undefined): ChangedBy {
  return checkOptions<ChangedBy>('resume', options, changeChecks);
}

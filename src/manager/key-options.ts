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
import { changeChecks, type Attribution } from './change-options.js';
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

/** The contents of a new key's record. */
export interface CreateKeyOptions extends Attribution {
  /**
   * The user that the key belongs to: 1 to 256 characters, neither blank nor with control
   * characters. Required.
   */
  user: string;
  /**
   * The name of the key: 1 to 256 characters, neither blank nor with control characters. Default
   * none.
   */
  name?: string | undefined;
  /**
   * What the key may do: at most 100 scopes by RFC 6749, section 3.3, of at most 256 characters.
   * Default `[]`.
   */
  scopes?: readonly string[] | undefined;
  /**
   * The instant from which the key is refused, in the years 1 to 9999. Default: by the manager's
   * `defaultLifetimeMs`, else never.
   */
  expiresAt?: Date | undefined;
  /**
   * Data that the route receives with the identity: a JSON object of at most 10 000 characters.
   * Default `{}`.
   */
  metadata?: Readonly<Record<string, unknown>> | undefined;
  /**
   * The addresses that may use the key: at most 100 IP addresses and CIDR blocks, such as
   * `203.0.113.0/24`. Default `[]`, any address.
   */
  allowedAddresses?: readonly string[] | undefined;
}

/** An existing key, given by exactly one of `key` and `digest`, and the contents of its record. */
export interface ImportKeyOptions extends CreateKeyOptions {
  /**
   * The key itself, 1 to 512 characters of visible ASCII without a comma. It is hashed at once.
   * Its digest, `sha256:<64 hex>`, may stand here too.
   */
  key?: string | undefined;
  /** Its digest, as `digestApiKey` makes it: `sha256:<64 hex>`. */
  digest?: string | undefined;
}

/** Changes to a record. Fields that are not named stay as they are. */
export interface UpdateKeyOptions extends Attribution {
  /**
   * The new user of the key: 1 to 256 characters, neither blank nor with control characters. The
   * key stays the same.
   */
  user?: string | undefined;
  /**
   * The name of the key: 1 to 256 characters, neither blank nor with control characters. `null`
   * removes the name.
   */
  name?: string | null | undefined;
  /**
   * What the key may do, in place of its scopes before: at most 100 scopes by RFC 6749, section
   * 3.3, of at most 256 characters.
   */
  scopes?: readonly string[] | undefined;
  /**
   * The instant from which the key is refused, in the years 1 to 9999. `null` removes the expiry.
   */
  expiresAt?: Date | null | undefined;
  /** A JSON object of at most 10 000 characters, in place of the metadata before. */
  metadata?: Readonly<Record<string, unknown>> | undefined;
  /**
   * The addresses that may use the key: at most 100 IP addresses and CIDR blocks. `[]` allows
   * any.
   */
  allowedAddresses?: readonly string[] | undefined;
}

/** How long an old key and its successor both work. */
export interface RotateKeyOptions extends Attribution {
  /**
   * How long the old key still works, in milliseconds: an integer from 0 to 31 536 000 000 (365
   * days). Default 86 400 000 (a day).
   */
  overlapMs?: number | undefined;
  /**
   * When the overlap starts: at the rotation, or at the successor's first use, until which the
   * old key works. Default `now`.
   */
  startsAt?: 'now' | 'first-use' | undefined;
}

/** How far a revocation goes. */
export interface RevokeKeyOptions extends Attribution {
  /**
   * Whether to revoke every key that rotations link to this one, before and after it. Default
   * `false`.
   */
  family?: boolean | undefined;
}

/** Whose keys and claim links are revoked. */
export interface RevokeAllOptions extends Attribution {
  /** The user. Required. */
  user: string;
}

/** How long a key is paused. */
export interface PauseKeyOptions extends Attribution {
  /**
   * The instant at which the pause ends by itself, in the future. Default: when the key is
   * resumed.
   */
  until?: Date | undefined;
}

/** A key that was just made. The key itself cannot be shown again. */
export interface CreatedKey {
  /** The whole key, for its user alone. */
  readonly key: string;
  /** The record of the key. */
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

/** A checked import: the record's fields, and what is known of the key. */
export interface CheckedImport {
  readonly fields: CreateKeyOptions;
  /** In lower case. */
  readonly digest: string;
  /** Absent if only the digest was given. */
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
  // If a digest were taken for a key, anyone who has read it would be let in.
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
  // Any length: an adopted table may have longer users.
  const checked = checkOptions<RevokeAllOptions>('revokeAll', options, {
    ...changeChecks,
    user: mustBeName,
  });
  assertArgument('revokeAll', '"user"', checked.user, mustBeName);
  return checked;
}

/** Does not check that `until` is in the future: only the manager knows the clock. */
export function checkPauseOptions(options: PauseKeyOptions | undefined): PauseKeyOptions {
  return checkOptions<PauseKeyOptions>('pause', options, { ...changeChecks, until: mustBeInstant });
}

export function checkResumeOptions(options: Attribution | undefined): Attribution {
  return checkOptions<Attribution>('resume', options, changeChecks);
}

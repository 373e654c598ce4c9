import { dayMs, yearMs } from '../lib/durations.js';
import {
  ArgumentRangeError,
  assertArgument,
  assertRange,
  checkOptions,
  mustBeString,
  type Check,
} from '../lib/options.js';
import type { KeyStatus } from '../stores/key-record.js';
import type { UsageQuery } from '../stores/key-usage.js';
import { changeChecks, type Attribution } from './change-options.js';
import { maxNameLength, mustBeInstant, mustBeNumber, oneOf } from './checks.js';

/** Which keys are listed, and how many at a time. */
export interface ListKeysOptions {
  /** Keys of exactly this user. Default: of all users. */
  user?: string | undefined;
  /**
   * Keys with this text in the user, the name or the key id. The text is literal, its case is
   * ignored, and it has at most 256 characters. Default: all.
   */
  search?: string | undefined;
  /**
   * Keys that have this status now. Here `active` means every usable key, including `expiring`
   * and `rotating` ones. Default: all.
   */
  status?: KeyStatus | undefined;
  /**
   * Usable, unpaused keys that were not used for this long, in milliseconds: an integer from 0 to
   * 100 years. A key that was never used counts from its creation. Default: all.
   */
  unusedForMs?: number | undefined;
  /**
   * Keys that are neither revoked nor expired and end within this time, in milliseconds: an
   * integer from 0 to 100 years. Default: all.
   */
  expiringWithinMs?: number | undefined;
  /** The most records, 1 to 1 000. Default 100. */
  limit?: number | undefined;
  /** The `keyId` of the last record of the page before. Default: from the newest on. */
  cursor?: string | undefined;
}

/** Which events are listed, and how many at a time. */
export interface HistoryOptions {
  /** Events of this key. Default: of all keys. */
  keyId?: string | undefined;
  /**
   * Events of keys and claim links that belong to this user now, or did before the change.
   * Default: of all users.
   */
  user?: string | undefined;
  /** Events at or after this instant. Default: from the first on. */
  since?: Date | undefined;
  /** The most events, 1 to 1 000. Default 100. */
  limit?: number | undefined;
  /** The `eventId` of the last event of the page before. Default: from the newest on. */
  cursor?: string | undefined;
}

/** Which counts are listed. */
export interface UsageOptions {
  /** Counts of this key. Default: of all keys. */
  keyId?: string | undefined;
  /** Counts of this user's keys. Default: of all users. */
  user?: string | undefined;
  /** The first day, in UTC: `2026-11-01`. Default 29 days before `to`. */
  from?: string | undefined;
  /** The last day, in UTC, included. At most 366 days in all. Default today. */
  to?: string | undefined;
}

/** How long before its end a key deserves a notice. */
export interface NoticeOptions {
  /**
   * One or more times before the end of a key, at most 20, in milliseconds: integers from 1 to
   * 100 years. Required.
   */
  beforeMs: readonly number[];
}

/** The age from which records are deleted. */
export interface PruneOptions extends Attribution {
  /**
   * How long ago a key must have been revoked or have expired, in milliseconds: an integer from 0
   * to 100 years. Required.
   */
  olderThanMs: number;
  /**
   * The age of deleted events, in milliseconds: an integer from 0 to 100 years. Default: events
   * are kept.
   */
  eventsOlderThanMs?: number | undefined;
  /**
   * The age of deleted counts of uses, in milliseconds: an integer from 0 to 100 years. Default
   * 400 days.
   */
  usageOlderThanMs?: number | undefined;
}

const maxAgeMs = 100 * yearMs;
const maxDays = 366;

const mustBeSearch: Check = (value) =>
  typeof value === 'string' && value.length <= maxNameLength
    ? undefined
    : `a string of at most ${maxNameLength} characters`;

export function checkListOptions(options: ListKeysOptions | undefined): ListKeysOptions {
  const checked = checkOptions<ListKeysOptions>('list', options, {
    user: mustBeString,
    search: mustBeSearch,
    status: oneOf('active', 'expiring', 'rotating', 'paused', 'expired', 'revoked'),
    unusedForMs: mustBeNumber,
    expiringWithinMs: mustBeNumber,
    limit: mustBeNumber,
    cursor: mustBeString,
  });
  assertRange('list', 'limit', checked.limit, 1, 1_000);
  assertRange('list', 'unusedForMs', checked.unusedForMs, 0, maxAgeMs);
  assertRange('list', 'expiringWithinMs', checked.expiringWithinMs, 0, maxAgeMs);
  return checked;
}

export function checkHistoryOptions(options: HistoryOptions | undefined): HistoryOptions {
  const checked = checkOptions<HistoryOptions>('history', options, {
    keyId: mustBeString,
    user: mustBeString,
    since: mustBeInstant,
    limit: mustBeNumber,
    cursor: mustBeString,
  });
  assertRange('history', 'limit', checked.limit, 1, 1_000);
  return checked;
}

/** A valid day in UTC, such as `2026-11-29`. */
const mustBeDay: Check = (value) =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}$/.test(value) &&
  dayOf(Date.parse(value)) === value
    ? undefined
    : 'a day in UTC as "2026-11-29"';

/** The UTC day of an instant in milliseconds since 1970: `2026-11-29`. Empty if there is none. */
export const dayOf = (ms: number): string =>
  Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, 10);

/** Fills in missing days. `now` is in milliseconds since 1970. */
export function checkUsageOptions(options: UsageOptions | undefined, now: number): UsageQuery {
  const caller = 'usage';
  const checked = checkOptions<UsageOptions>(caller, options, {
    keyId: mustBeString,
    user: mustBeString,
    from: mustBeDay,
    to: mustBeDay,
  });
  const to = checked.to ?? dayOf(now);
  const from = checked.from ?? dayOf(Date.parse(to) - 29 * dayMs);
  if (from > to) throw new ArgumentRangeError(caller, 'from', 'a day not after "to"');
  if (Date.parse(to) - Date.parse(from) >= maxDays * dayMs)
    throw new ArgumentRangeError(caller, 'from', `at most ${maxDays} days from "to"`);
  return { ...checked, from, to };
}

const mustBeThresholds: Check = (value) =>
  Array.isArray(value) &&
  value.length >= 1 &&
  value.length <= 20 &&
  value.every((each) => Number.isInteger(each) && each >= 1 && each <= maxAgeMs)
    ? undefined
    : `an array of 1 to 20 integers from 1 to ${maxAgeMs}`;

export function checkNoticeOptions(options: NoticeOptions): NoticeOptions {
  const caller = 'takeNotices';
  const checked = checkOptions<NoticeOptions>(caller, options, { beforeMs: mustBeThresholds });
  assertArgument(caller, '"beforeMs"', checked.beforeMs, mustBeThresholds);
  return { beforeMs: [...new Set(checked.beforeMs)] };
}

export function checkPruneOptions(options: PruneOptions): PruneOptions {
  const checked = checkOptions<PruneOptions>('prune', options, {
    ...changeChecks,
    olderThanMs: mustBeNumber,
    eventsOlderThanMs: mustBeNumber,
    usageOlderThanMs: mustBeNumber,
  });
  assertArgument('prune', '"olderThanMs"', checked.olderThanMs, mustBeNumber);
  for (const name of ['olderThanMs', 'eventsOlderThanMs', 'usageOlderThanMs'] as const)
    assertRange('prune', name, checked[name], 0, maxAgeMs);
  return checked;
}

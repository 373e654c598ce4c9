import { whyNotUsable } from '../keys/admission.js';
import { dayMs } from '../lib/durations.js';

/** A key's record without its digest. A time that is absent has not come. */
export interface KeyRecord {
  /** Public, unique: `<prefix>_<10 characters>`. */
  readonly keyId: string;
  /** The user that the key belongs to. */
  readonly user: string;
  /** The name of the key. Absent if it has none. */
  readonly name?: string;
  /** What the key may do. */
  readonly scopes: readonly string[];
  /** JSON that the application chose. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** When the key was made or imported. */
  readonly createdAt: Date;
  /** When the key was last used. It lags by at most the manager's `lastUsedIntervalMs`. */
  readonly lastUsedAt?: Date;
  /** The instant from which the key is refused. Absent if the key never expires. */
  readonly expiresAt?: Date;
  /** When the key was revoked. Any value means revoked, even one in the future. */
  readonly revokedAt?: Date;
  /** When the key was paused. The key is then refused until `pausedUntil`. */
  readonly pausedAt?: Date;
  /** The instant at which the pause ends by itself. Absent if it lasts until the key is resumed. */
  readonly pausedUntil?: Date;
  /**
   * The addresses that may use the key: IP addresses and CIDR blocks, such as `203.0.113.0/24`.
   * Absent: any address.
   */
  readonly allowedAddresses?: readonly string[];
  /** The key id of the key that this one replaced in a rotation. */
  readonly replaces?: string;
  /** The key id of the key that replaced this one in a rotation. */
  readonly replacedBy?: string;
  /**
   * How long the key in `replaces` works after the first use of this key, in milliseconds.
   * Present only until that first use.
   */
  readonly overlapMs?: number;
}

/** A record as it is stored, with its digest. Only store and manager see it. */
export interface StoredKey extends KeyRecord {
  /** The digest of the key: `sha256:<64 lower-case hex>`. */
  readonly digest: string;
}

/**
 * The status of a record at an instant. The first that fits counts: `revoked`, `expired`,
 * `paused`, `rotating` (usable beside its successor), `expiring` (usable for at most seven more
 * days), `active`.
 */
export type KeyStatus = 'active' | 'expiring' | 'rotating' | 'paused' | 'expired' | 'revoked';

/** A key is `expiring` if less than this is left before its `expiresAt`, in milliseconds. */
export const expiringMs = 7 * dayMs;

/** The status of a record at `now`. */
export function statusOf(record: KeyRecord, now: Date): KeyStatus {
  const code = whyNotUsable(record, now.getTime());
  if (code) return statusOfRefusal[code];
  if (record.replacedBy !== undefined) return 'rotating';
  const left = record.expiresAt && record.expiresAt.getTime() - now.getTime();
  return left !== undefined && left <= expiringMs ? 'expiring' : 'active';
}

const statusOfRefusal = {
  revoked_api_key: 'revoked',
  expired_api_key: 'expired',
  paused_api_key: 'paused',
} as const;

/** Whether a record belongs to the list of a status. The list of `active` has every usable key. */
export function hasStatus(record: KeyRecord, status: KeyStatus, now: Date): boolean {
  const actual = statusOf(record, now);
  if (status !== 'active') return actual === status;
  return actual === 'active' || actual === 'expiring' || actual === 'rotating';
}

/** Whether a key is revoked or expired at `now`. A pause does not matter. */
export const isOver = ({ revokedAt, expiresAt }: KeyRecord, now: Date): boolean =>
  whyNotUsable({ revokedAt, expiresAt }, now.getTime()) !== undefined;

/** Which page of a list a store is asked for. */
export interface PageQuery {
  /** At most this many. */
  readonly limit: number;
  /** Only what follows the entry with this id in the list. Absent: from the start. */
  readonly cursor?: string | undefined;
  /** The instant at which the status is judged. */
  readonly now: Date;
}

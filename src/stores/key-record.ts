import { whyNotUsable } from '../keys/admission.js';
import { dayMs } from '../lib/durations.js';

/** What is kept of a key, apart from its digest. An absent time has not come. */
export interface KeyRecord {
  /** Public, unique: `<prefix>_<10 characters>`. */
  readonly keyId: string;
  /** Whose key it is. */
  readonly user: string;
  /** What its user calls this key; absent if it has no name. */
  readonly name?: string;
  /** What the key may do. */
  readonly scopes: readonly string[];
  /** JSON of the application's own making. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** When the key was made or imported. */
  readonly createdAt: Date;
  /** When the key was last used; behind the truth by at most the manager's `lastUsedIntervalMs`. */
  readonly lastUsedAt?: Date;
  /** The instant from which the key is refused; absent if it never expires. */
  readonly expiresAt?: Date;
  /** When the key was revoked. Any value means revoked, even one in the future. */
  readonly revokedAt?: Date;
  /** When the key was paused. It is refused from any such value on until `pausedUntil`. */
  readonly pausedAt?: Date;
  /** The instant at which the pause ends by itself; absent if it lasts until the key is resumed. */
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
   * How long `replaces` works from the first use of this key on, in milliseconds. Present while
   * this key waits for its first use after a rotation.
   */
  readonly overlapMs?: number;
}

/** A record as it is stored: with its digest. It stays between store and manager. */
export interface StoredKey extends KeyRecord {
  /** The digest of the key: `sha256:<64 lower-case hex>`. */
  readonly digest: string;
}

/**
 * What a record is at an instant, the first that fits: `revoked`; `expired`; `paused`;
 * `rotating`, usable beside its successor; `expiring`, usable for at most seven more days;
 * `active`.
 */
export type KeyStatus = 'active' | 'expiring' | 'rotating' | 'paused' | 'expired' | 'revoked';

/** A key counts as `expiring` from this long before its `expiresAt` on, in milliseconds. */
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

/** Whether a record is in the list of a status: `active` lists every key that may be used. */
export function hasStatus(record: KeyRecord, status: KeyStatus, now: Date): boolean {
  const actual = statusOf(record, now);
  if (status !== 'active') return actual === status;
  return actual === 'active' || actual === 'expiring' || actual === 'rotating';
}

/** Which part of a list a manager asks a store for. */
export interface PageQuery {
  /** At most this many. */
  readonly limit: number;
  /** Only what follows the entry with this id in the order of the list. Absent: from the start. */
  readonly cursor?: string | undefined;
  /** The instant for which a status is meant. */
  readonly now: Date;
}

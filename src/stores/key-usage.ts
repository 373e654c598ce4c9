/** How often a key was used on one day. */
export interface KeyUsage {
  /** The day in UTC: `2026-11-29`. */
  readonly day: string;
  /** The public name of the key. */
  readonly keyId: string;
  /** The user of the key when it was last counted that day. */
  readonly user: string;
  /** How many requests the manager admitted with the key. */
  readonly admitted: number;
  /**
   * How many requests it refused because the key was expired, revoked, paused or used from a
   * wrong address.
   */
  readonly refused: number;
}

/** Which counts a store is asked for. */
export interface UsageQuery {
  /** Counts of this key. Absent: of all keys. */
  readonly keyId?: string | undefined;
  /** Counts of this user's keys. Absent: of all users. */
  readonly user?: string | undefined;
  /** The first day, in UTC: `2026-11-01`. */
  readonly from: string;
  /** The last day, in UTC, included. */
  readonly to: string;
}

/** Keeps uses per day: the optional `usage` of a `KeyStore`. */
export interface UsageStore {
  /** Adds to the counts of the same key and day, in one step. */
  add(counts: readonly KeyUsage[]): Promise<void>;
  /** Lists counts by day, then key id, both ascending. */
  list(query: UsageQuery): Promise<KeyUsage[]>;
  /** Deletes the counts of days before this one, in UTC. Resolves to their number. */
  prune(beforeDay: string): Promise<number>;
}

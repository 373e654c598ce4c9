/** How often a key was used on one day. */
export interface KeyUsage {
  /** The day in UTC: `2026-11-29`. */
  readonly day: string;
  /** The public name of the key. */
  readonly keyId: string;
  /** Whose key it was when it was last counted that day. */
  readonly user: string;
  /** How many requests the manager admitted with the key. */
  readonly admitted: number;
  /** How many it refused because the key was expired, revoked, paused or at a wrong address. */
  readonly refused: number;
}

/** Which counts a manager asks a store for. */
export interface UsageQuery {
  /** Counts of this key. Absent: of all. */
  readonly keyId?: string | undefined;
  /** Counts of this user's keys. Absent: of all. */
  readonly user?: string | undefined;
  /** The first day, in UTC: `2026-11-01`. */
  readonly from: string;
  /** The last day, in UTC, included. */
  readonly to: string;
}

/** Where a key store keeps uses per day: the optional `usage` of a `KeyStore`. */
export interface UsageStore {
  /** Adds counts to what is there for the same key and day, in one step. */
  add(counts: readonly KeyUsage[]): Promise<void>;
  /** Counts by day and then key id, both ascending. */
  list(query: UsageQuery): Promise<KeyUsage[]>;
  /** Deletes the counts of days before this one, in UTC. Resolves to how many. */
  prune(beforeDay: string): Promise<number>;
}

/** How a change came about; `sql` is a change by hand in the database. */
export type ChangeVia = 'code' | 'cli' | 'desk' | 'account' | 'claim' | 'sql';

/** Who changes something and why, for the history of keys. */
export interface ChangeContext {
  /** Who: 1 to 256 characters. Absent if nobody said. */
  readonly by?: string | undefined;
  /** Why: 1 to 1 000 characters. Absent if nobody said. */
  readonly reason?: string | undefined;
  /** By which way. */
  readonly via: ChangeVia;
  /** When, by the manager's clock: for stores without a clock of their own. */
  readonly at: Date;
  /** Whether an added key existed before and is taken over: `imported`, not `created`. */
  readonly isImport?: boolean | undefined;
}

/** What happened to a key or to a claim link. */
export type KeyEventType =
  | 'created'
  | 'imported'
  | 'claimed'
  | 'updated'
  | 'rotated'
  | 'paused'
  | 'resumed'
  | 'revoked'
  | 'deleted'
  | 'claim_created'
  | 'claim_revoked';

/**
 * The fields of which an event keeps values before and after. Times are text in UTC,
 * `2026-11-29T22:33:35.123Z`; an absent value is `null`.
 */
export type ChangedField =
  | 'name'
  | 'scopes'
  | 'expiresAt'
  | 'metadata'
  | 'user'
  | 'allowedAddresses'
  | 'pausedUntil'
  | 'replacedBy';

/** One entry of the record of changes. Holds neither key nor digest nor token. */
export interface KeyEvent {
  /** Unique: `event_` and 32 hexadecimal digits. */
  readonly eventId: string;
  /** When it happened, by the clock of the database. */
  readonly at: Date;
  /** What happened. */
  readonly what: KeyEventType;
  /** Which key; absent for what happened to a claim link alone. */
  readonly keyId?: string;
  /** Which claim link; absent for what concerned none. */
  readonly claimId?: string;
  /** Whose key or link it is, after the change. */
  readonly user: string;
  /** Who did it; absent if nobody said. For `sql` the role of the database, if it knows one. */
  readonly by?: string;
  /** Why; absent if nobody said. */
  readonly reason?: string;
  /** By which way. */
  readonly via: ChangeVia;
  /** `[before, after]` of each field that changed; absent if none of these did. */
  readonly changes?: Readonly<Partial<Record<ChangedField, readonly [unknown, unknown]>>>;
}

/** Which events a manager asks a store for. */
export interface EventQuery {
  /** Events of this key. Absent: of all. */
  readonly keyId?: string | undefined;
  /** Events of keys and links that are this user's, or were before the change. Absent: of all. */
  readonly user?: string | undefined;
  /** Events at or after this instant. Absent: from the first on. */
  readonly since?: Date | undefined;
  /** At most this many. */
  readonly limit: number;
  /** Only events older than the one with this `eventId`. Absent: from the newest on. */
  readonly cursor?: string | undefined;
}

/**
 * Where a key store keeps events: the optional `events` of a `KeyStore`. The store writes each
 * event itself, in one step with its change: see `ChangeContext`.
 */
export interface EventStore {
  /** Events, newest first. Rejects with `unknown_event_id` for an unknown cursor. */
  list(query: EventQuery): Promise<KeyEvent[]>;
  /** Deletes events before the instant. Resolves to how many. */
  prune(before: Date): Promise<number>;
}

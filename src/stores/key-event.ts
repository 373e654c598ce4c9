import type { ChangeVia } from '../keys/diagnostics.js';

/** Who makes a change and why, for the history of keys. */
export interface ChangeContext {
  /** Who makes the change: 1 to 256 characters. Absent if unknown. */
  readonly by?: string | undefined;
  /** Why: 1 to 1 000 characters. Absent if no reason was given. */
  readonly reason?: string | undefined;
  /** How the change is made. */
  readonly via: ChangeVia;
  /** The time by the manager's clock, for stores without a clock of their own. */
  readonly at: Date;
  /** Whether an added key existed before. Its event is then `imported` instead of `created`. */
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
 * The fields whose values before and after an event keeps. Times are text in UTC,
 * `2026-11-29T22:33:35.123Z`. An absent value is `null`.
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

/** One entry of the history of changes. Holds no key, digest or token. */
export interface KeyEvent {
  /** Unique: `event_` and 32 hexadecimal digits. */
  readonly eventId: string;
  /** When it happened, by the clock of the database. */
  readonly at: Date;
  /** What happened. */
  readonly what: KeyEventType;
  /** The key. Absent if the event is about a claim link alone. */
  readonly keyId?: string;
  /** The claim link. Absent if the event is about none. */
  readonly claimId?: string;
  /** The user of the key or link after the change. */
  readonly user: string;
  /**
   * Who made the change. Absent if unknown. For `sql`, the role of the database if there is one.
   */
  readonly by?: string;
  /** Why. Absent if no reason was given. */
  readonly reason?: string;
  /** How the change was made. */
  readonly via: ChangeVia;
  /** `[before, after]` of each field that changed. Absent if none did. */
  readonly changes?: Readonly<Partial<Record<ChangedField, readonly [unknown, unknown]>>>;
}

/** Which events a store is asked to list. */
export interface EventQuery {
  /** Events of this key. Absent: of all keys. */
  readonly keyId?: string | undefined;
  /**
   * Events of keys and links that belong to this user now, or did before the change. Absent: of
   * all users.
   */
  readonly user?: string | undefined;
  /** Events at or after this instant. Absent: from the first on. */
  readonly since?: Date | undefined;
  /** At most this many. */
  readonly limit: number;
  /** Only events older than the one with this `eventId`. Absent: from the newest on. */
  readonly cursor?: string | undefined;
}

/**
 * Keeps events: the optional `events` of a `KeyStore`. The store writes each event itself, in one
 * step with its change. See `ChangeContext`.
 */
export interface EventStore {
  /** Lists events, newest first. Rejects with `unknown_event_id` for an unknown cursor. */
  list(query: EventQuery): Promise<KeyEvent[]>;
  /** Deletes events before the instant. Resolves to their number. */
  prune(before: Date): Promise<number>;
}

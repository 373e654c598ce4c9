import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { ApiKeyErrorCode } from './api-key-error.js';
import type { RefusalReason } from './refusal.js';

/** How a change was made. `sql` is a change by hand in the database. */
export type ChangeVia = 'code' | 'cli' | 'desk' | 'account' | 'claim' | 'sql';

/** What a manager did to a key. */
type KeyChange = 'created' | 'updated' | 'rotated' | 'paused' | 'resumed' | 'revoked' | 'deleted';

/**
 * What a subscriber to `require-api-key:admitted`, `:refused`, `:fault`, `:changed` or `:reuse`
 * (`node:diagnostics_channel`) receives. Fields that do not apply are absent. No field holds a
 * key or a digest, but the live request holds the presented key.
 */
export interface ApiKeyMessage {
  /** The live request. Absent on `changed`, and on `reuse` if the manager was asked without one. */
  request?: IncomingMessage;
  /** The public name of the key. Absent if no key was found, and for pruned keys. */
  keyId?: string;
  /** The user of the key. Absent if no key was found. */
  user?: string;
  /** The key source that knew the key or failed. Absent if none did. */
  source?: string;
  /**
   * On `refused` and `reuse`, the code that the client receives. On `fault`, the code that it
   * would receive if no other source knew the key.
   */
  code?: ApiKeyErrorCode;
  /**
   * On `refused` and `fault`, the precise reason, which no client learns. On `changed`, what was
   * done to the key.
   */
  reason?: RefusalReason | KeyChange;
  /** On `changed`, who made the change. Absent if unknown. */
  by?: string;
  /** On `changed`, how: through `code`, `cli`, `desk`, `account` or `claim`. */
  via?: ChangeVia;
  /** On `changed`, why. Absent if no reason was given. */
  why?: string;
  /**
   * On `admitted` and `refused`, the time from the guard's start to its verdict, in milliseconds,
   * with fractions. Absent if nobody was subscribed at the start.
   */
  durationMs?: number;
}

/**
 * What a subscriber to `require-api-key:claim` (`node:diagnostics_channel`) receives about a
 * claim link. No field holds a token or a key, but the live request may.
 */
export interface ClaimMessage {
  /** The live request. Absent if the manager was called without one. */
  request?: IncomingMessage;
  /**
   * What happened: the link was made, has yielded its key, was revoked, or refused an attempt to
   * view or use it.
   */
  outcome: 'created' | 'claimed' | 'revoked' | 'refused';
  /** On a refusal, the code that the client received. */
  code?: 'claim_not_usable';
  /** On a refusal, why. `used` means that a second reader tried a link that has yielded its key. */
  reason?: 'malformed' | 'unknown' | 'used' | 'revoked' | 'expired';
  /** The public name of the link. Absent if the token belongs to none. */
  claimId?: string;
  /** The user of the link's key. Absent if the token belongs to no link. */
  user?: string;
  /** The public name of the key that the link has yielded. Absent if it has yielded none. */
  keyId?: string;
  /** The name of the manager as a key source: `managed`. */
  source?: string;
  /** Who made or revoked the link. Absent if unknown. */
  by?: string;
  /** How the link was made, used or revoked. Absent on a refusal. */
  via?: ChangeVia;
  /** Why the link was made or revoked. Absent if no reason was given. */
  why?: string;
}

/**
 * The channels of `node:diagnostics_channel`.
 *
 * A guard reports its verdict on `admitted` or `refused`, never on both. It reports none if
 * `optional` lets a request without a key pass, or if the client has gone. `requireScopes` may
 * report on `refused` a request that was admitted before. Every fault of a source or the
 * configuration is also reported on `fault`, even if another source then knew the key.
 *
 * A manager reports changes on `changed`. It reports on `reuse` that a key was refused because a
 * rotation had replaced it, and on `claim` what happened to a claim link.
 */
export const channels = {
  admitted: channel('require-api-key:admitted'),
  refused: channel('require-api-key:refused'),
  fault: channel('require-api-key:fault'),
  changed: channel('require-api-key:changed'),
  reuse: channel('require-api-key:reuse'),
  claim: channel('require-api-key:claim'),
};

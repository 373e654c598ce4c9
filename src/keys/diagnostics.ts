import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { ApiKeyErrorCode } from './api-key-error.js';
import type { RefusalReason } from './refusal.js';

/** How a change came about; `sql` is a change by hand in the database. */
export type ChangeVia = 'code' | 'cli' | 'desk' | 'account' | 'claim' | 'sql';

/** What was done to a key through a manager. */
type KeyChange = 'created' | 'updated' | 'rotated' | 'paused' | 'resumed' | 'revoked' | 'deleted';

/**
 * What a subscriber to `require-api-key:admitted`, `:refused`, `:fault`, `:changed` or `:reuse` (`node:diagnostics_channel`)
 * receives; fields that do not apply are absent. Its own fields hold neither keys nor digests; the live request does hold the
 * presented key.
 */
export interface ApiKeyEvent {
  /** The live request; absent on `changed`, and on `reuse` where the manager was asked without one. */
  request?: IncomingMessage;
  /** The public name of the key; absent where no key was found, and for keys that were pruned. */
  keyId?: string;
  /** Whose key it is; absent where no key was found. */
  user?: string;
  /** The name of the key source that knew the key or failed; absent where none did. */
  source?: string;
  /** What the client is told, on `refused` and `reuse`, or would be if no other source knew the key, on `fault`. */
  code?: ApiKeyErrorCode;
  /** On `refused` and `fault` the precise reason, which no client is told; on `changed` what was done to the key. */
  reason?: RefusalReason | KeyChange;
  /** On `changed` who did it; absent where nobody said. */
  by?: string;
  /** On `changed` by which way: `code`, `cli`, `desk`, `account` or `claim`. */
  via?: ChangeVia;
  /** On `changed` why it was done; absent where nobody said. */
  why?: string;
  /**
   * On `admitted` and `refused`: from the guard's start to its verdict, in milliseconds, with fractions; absent where nobody was
   * subscribed at the start.
   */
  durationMs?: number;
}

/**
 * What a subscriber to `require-api-key:claim` (`node:diagnostics_channel`) receives of a claim link. Its own fields hold neither
 * token nor key; the live request may.
 */
export interface ClaimEvent {
  /** The live request; absent where the manager was called without one. */
  request?: IncomingMessage;
  /** What became of the link: it was made, has yielded its key, was revoked, or refused an attempt to look at it or use it. */
  outcome: 'created' | 'claimed' | 'revoked' | 'refused';
  /** On a refusal, what the client was told. */
  code?: 'claim_not_usable';
  /** On a refusal, why: `used` means that a second reader tried a link that has yielded its key. */
  reason?: 'malformed' | 'unknown' | 'used' | 'revoked' | 'expired';
  /** The public name of the link; absent where the token belongs to none. */
  claimId?: string;
  /** Whose key the link yields; absent where the token belongs to no link. */
  user?: string;
  /** The public name of the key that the link has yielded; absent where it has yielded none. */
  keyId?: string;
  /** The name of the manager as a key source: `managed`. */
  source?: string;
  /** Who made or revoked the link; absent where nobody said. */
  by?: string;
  /** By which way the link was made, used or revoked; absent on a refusal. */
  via?: ChangeVia;
  /** Why the link was made or revoked; absent where nobody said. */
  why?: string;
}

/**
 * The channels of `node:diagnostics_channel`. A guard's verdict is on exactly one of `admitted` and `refused`; there is none where
 * `optional` lets a request without a key through, or the client went away meanwhile. `requireScopes` may put on `refused` what was
 * admitted before. Each fault of a source or of the configuration is on `fault` besides, also where another source then knew the key.
 * A manager says on `changed` what was done through it, on `reuse` that a key was refused which a rotation had replaced, and on
 * `claim` what became of a claim link.
 */
export const channels = {
  admitted: channel('require-api-key:admitted'),
  refused: channel('require-api-key:refused'),
  fault: channel('require-api-key:fault'),
  changed: channel('require-api-key:changed'),
  reuse: channel('require-api-key:reuse'),
  claim: channel('require-api-key:claim'),
};

/** Whether anybody is told of verdicts, so that their duration is worth measuring. */
export const isVerdictObserved = () =>
  channels.admitted.hasSubscribers || channels.refused.hasSubscribers;

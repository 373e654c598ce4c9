import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { ApiKeyErrorCode } from './api-key-error.js';
import type { Unpresented } from './lib/presented-key.js';

/** Why a request was refused, more precisely than its client is told. */
export type RefusalReason =
  | Unpresented['reason']
  | 'unknown_key'
  | 'expired'
  | 'revoked'
  | 'scope_missing'
  | 'plain_http'
  | 'nothing_configured'
  | 'broken_configuration'
  | 'source_threw'
  | 'source_timed_out'
  | 'source_answered_nonsense';

/** What a subscriber receives. Its own fields hold neither keys nor digests; the live request does hold the presented key. */
export interface ApiKeyEvent {
  request?: IncomingMessage;
  keyId?: string;
  user?: string;
  source?: string;
  code?: ApiKeyErrorCode;
  /** On `changed`, what was done to the key. */
  reason?: RefusalReason | 'created' | 'updated' | 'rotated' | 'revoked';
  /** From the guard's start to its verdict, in milliseconds. */
  durationMs?: number;
}

/** What a subscriber to `claim` receives of a claim link. Holds neither token nor key. */
export interface ClaimEvent {
  request?: IncomingMessage;
  outcome: 'created' | 'claimed' | 'withdrawn' | 'refused';
  /** On a refusal, what the client was told. */
  code?: 'claim_not_usable';
  /** On a refusal, why: `used` means that a second reader tried a link that has yielded its key. */
  reason?: 'malformed' | 'unknown' | 'used' | 'withdrawn' | 'expired';
  /** Absent where the token belongs to no link. */
  claimId?: string;
  user?: string;
  /** The key that the link has yielded. */
  keyId?: string;
  source?: string;
}

/**
 * The channels of `node:diagnostics_channel`. A guarded request ends on exactly one of `admitted` and `refused`; each fault of
 * a source or of the configuration is on `fault` besides, also where another source then knew the key. A manager says on
 * `changed` what was done through it, on `reuse` that a key was refused which a rotation had replaced, and on `claim` what became
 * of a claim link.
 */
export const channels = {
  admitted: channel('require-api-key:admitted'),
  refused: channel('require-api-key:refused'),
  fault: channel('require-api-key:fault'),
  changed: channel('require-api-key:changed'),
  reuse: channel('require-api-key:reuse'),
  claim: channel('require-api-key:claim'),
};

/** Whether any outcome of a request is watched, so that its duration is worth measuring. */
export const isWatched = () =>
  channels.admitted.hasSubscribers || channels.refused.hasSubscribers || channels.fault.hasSubscribers;

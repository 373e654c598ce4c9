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

/**
 * The channels of `node:diagnostics_channel`. A guarded request ends on exactly one of `admitted` and `refused`; each fault of
 * a source or of the configuration is on `fault` besides, also where another source then knew the key. A manager says on
 * `changed` what was done through it, and on `reuse` that a key was refused which a rotation had replaced.
 */
export const channels = {
  admitted: channel('require-api-key:admitted'),
  refused: channel('require-api-key:refused'),
  fault: channel('require-api-key:fault'),
  changed: channel('require-api-key:changed'),
  reuse: channel('require-api-key:reuse'),
};

/** Whether any outcome of a request is watched, so that its duration is worth measuring. */
export const isWatched = () =>
  channels.admitted.hasSubscribers || channels.refused.hasSubscribers || channels.fault.hasSubscribers;

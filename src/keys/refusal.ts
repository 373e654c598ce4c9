import type { Unpresented } from '../http/presented-key.js';
import type { ApiKeyErrorCode } from './api-key-error.js';

/**
 * Why a request was refused, in more detail than its client is told. For operators, on the
 * channels `refused` and `fault`. If the header holds no possible key, it is `header_absent`,
 * `header_blank`, `other_scheme`, `repeated_header`, `too_long` or `bad_character`.
 */
export type RefusalReason =
  | Unpresented['reason']
  | 'unknown_key'
  | 'expired'
  | 'revoked'
  | 'paused'
  | 'address'
  | 'scope_missing'
  | 'plain_http'
  | 'nothing_configured'
  | 'broken_configuration'
  | 'source_threw'
  | 'source_timed_out'
  | 'source_answered_nonsense';

/** Why a request is refused, from any part of the guard. */
export interface Refusal {
  readonly ok?: false;
  readonly code: ApiKeyErrorCode;
  /** Default: the one that the code implies. */
  readonly reason?: RefusalReason;
  readonly cause?: unknown;
  readonly keyId?: string | undefined;
  readonly user?: string | undefined;
  /** The key source that knew the key or failed. */
  readonly source?: string | undefined;
}

const impliedReasons: Partial<Record<ApiKeyErrorCode, RefusalReason>> = {
  expired_api_key: 'expired',
  revoked_api_key: 'revoked',
  paused_api_key: 'paused',
  address_not_allowed: 'address',
};

/** The reason of a refusal. All reasons are determined here. */
export const reasonOf = ({ code, reason }: Refusal): RefusalReason =>
  reason ?? impliedReasons[code] ?? 'unknown_key';

import { dayMs } from '../lib/durations.js';
import { assertArgument, checkOptions, describe, mustBeString } from '../lib/options.js';
import type { ClaimStatus } from '../stores/claim-store.js';
import {
  assertRange,
  createChecks,
  mustBeNumber,
  mustBeText,
  oneOf,
  type CreateKeyOptions,
} from './manager-options.js';

/** What the key will hold that a claim link yields, and how long the link works. */
export interface CreateClaimOptions extends CreateKeyOptions {
  /**
   * How long the link works, in milliseconds, an integer from 1 to 2 592 000 000 (30 days); never longer than the
   * key would. Default 86 400 000 (a day).
   */
  claimTtlMs?: number | undefined;
}

/** Which claim links are listed, and how many at a time. */
export interface ListClaimsOptions {
  /** Links that are `open`, `used`, `revoked` or `expired` now. Default all. */
  status?: ClaimStatus | undefined;
  /** How many links at most, 1 to 1 000. Default 100. */
  limit?: number | undefined;
  /** The `claimId` of the last link of the page before. Default: from the newest on. */
  cursor?: string | undefined;
}

export function checkCreateClaimOptions(options: unknown): CreateClaimOptions {
  const caller = 'createClaim';
  const checked = checkOptions<CreateClaimOptions>(caller, options, {
    ...createChecks,
    claimTtlMs: mustBeNumber,
  });
  assertArgument(caller, '"user"', checked.user, mustBeText);
  assertRange(caller, 'claimTtlMs', checked.claimTtlMs, 1, 30 * dayMs);
  return checked;
}

export function checkListClaimsOptions(options: ListClaimsOptions | undefined): ListClaimsOptions {
  const checked = checkOptions<ListClaimsOptions>('listClaims', options, {
    status: oneOf('open', 'used', 'revoked', 'expired'),
    limit: mustBeNumber,
    cursor: mustBeString,
  });
  assertRange('listClaims', 'limit', checked.limit, 1, 1_000);
  return checked;
}

/** @throws {TypeError} where it is not a string. */
export function assertClaimId(claimId: unknown): void {
  if (typeof claimId !== 'string')
    throw new TypeError(
      `revokeClaim: the claim id must be a string; received ${describe(claimId)}`,
    );
}

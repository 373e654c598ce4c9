import { dayMs } from '../lib/durations.js';
import {
  ArgumentError,
  assertArgument,
  assertRange,
  checkOptions,
  describe,
  mustBeString,
} from '../lib/options.js';
import type { ClaimStatus } from '../stores/claim-store.js';
import { changeChecks, type Attribution } from './change-options.js';
import { mustBeNumber, mustBeText, oneOf } from './checks.js';
import { createChecks, type CreateKeyOptions } from './key-options.js';

/** What the key of a claim link will hold, and how long the link works. */
export interface CreateClaimOptions extends CreateKeyOptions {
  /**
   * How long the link works, in milliseconds: an integer from 1 to 2 592 000 000 (30 days). It
   * never outlives the key. Default 86 400 000 (a day).
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

/** @throws {ArgumentError} if the id is not a string or an option is wrong. */
export function checkRevokeClaimOptions(claimId: unknown, options: Attribution | undefined): void {
  const caller = 'revokeClaim';
  if (typeof claimId !== 'string')
    throw new ArgumentError(
      caller,
      `the claim id must be a string; received ${describe(claimId)}`,
      {
        option: 'claimId',
        expected: 'a string',
      },
    );
  checkOptions<Attribution>(caller, options, changeChecks);
}

import type { ClaimRecord, ClaimStatus } from './claim-store.js';

/** What a claim link is at `now`, in one word. The instant of expiry is already too late. */
export function claimStatusOf(claim: ClaimRecord, now: Date): ClaimStatus {
  if (claim.claimedAt !== undefined) return 'used';
  if (claim.revokedAt !== undefined) return 'revoked';
  // Written so that a time which is not one counts as past.
  return claim.expiresAt.getTime() > now.getTime() ? 'open' : 'expired';
}

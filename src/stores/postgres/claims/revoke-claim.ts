import { ClaimError, type ClaimRecord } from '../../claim-store.js';
import { assertNothingHidden, commandsOf } from '../hidden-rows.js';
import { instantParameter, instantSql, searchParameter } from '../parameters.js';
import type { Session } from '../session.js';
import { readClaim, selectClaim } from './claim-record.js';

export async function revokeClaim(
  session: Session,
  claimId: string,
  revokedAt: Date,
): Promise<ClaimRecord> {
  const { names } = session;
  // A used link is written back as it is: so a claim that is under way is waited for, and the answer says what became of it.
  const text = `update ${names.claims} c
    set revoked_at = case when c.claimed_at is null then coalesce(c.revoked_at, ${instantSql('$2')}) else c.revoked_at end
    where c.claim_id = $1::text
    returning ${selectClaim()} as claim`;
  const values = [searchParameter(claimId), instantParameter(revokedAt)];
  const [row] = await session.search('revokeClaim', { text, values });
  if (!row) {
    await assertNothingHidden(session, 'claims', commandsOf.change);
    throw new ClaimError('unknown_claim_id');
  }
  const claim = readClaim(row);
  if (claim.claimedAt) throw new ClaimError('claim_used');
  return claim;
}

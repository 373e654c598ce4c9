import { ClaimError, type ClaimRecord } from '../../claim-store.js';
import type { Database } from '../database.js';
import type { Names } from '../names.js';
import { instantParameter, instantSql, soughtText } from '../parameters.js';
import { readClaim, selectClaim } from './claim-record.js';

export async function revokeClaim(
  database: Database,
  names: Names,
  claimId: string,
  revokedAt: Date,
  limitMs: number,
): Promise<ClaimRecord> {
  // A used link is written back as it is: so a claim that is under way is waited for, and the answer says what became of it.
  const text = `update ${names.claims} c
    set revoked_at = case when c.claimed_at is null then coalesce(c.revoked_at, ${instantSql('$2')}) else c.revoked_at end
    where c.claim_id = $1::text
    returning ${selectClaim()} as claim`;
  const values = [soughtText(claimId), instantParameter(revokedAt)];
  const [row] = await database.query('revokeClaim', { text, values }, limitMs);
  if (!row) throw new ClaimError('unknown_claim_id');
  const claim = readClaim(row);
  if (claim.claimedAt) throw new ClaimError('claim_used');
  return claim;
}

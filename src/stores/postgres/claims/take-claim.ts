import { claimStatusOf } from '../../claim-status.js';
import type { ClaimedKey, ClaimOutcome } from '../../claim-store.js';
import { duplicateKey } from '../../key-store-error.js';
import { assertNothingHidden, commandsOf } from '../hidden-rows.js';
import { instantParameter, instantSql } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Session } from '../session.js';
import { readClaim, selectClaim } from './claim-record.js';

export async function takeClaim(
  session: Session,
  tokenDigest: string,
  { keyId, digest, createdAt }: ClaimedKey,
): Promise<ClaimOutcome> {
  const { names } = session;
  // Of many attempts at once the first locks the row; the others wait, read it again and find it used. One statement, so the mark and the
  // key are both there or neither, whenever the connection breaks.
  const now = instantSql('$4');
  const text = `with found as (
      select * from ${names.claims} where token_digest = $1::text for update
    ), made as (
      insert into ${names.keys} (key_id, digest, user_name, name, scopes, metadata, created_at, expires_at)
      select $2::text, $3::text, user_name, name, scopes, metadata, ${now}, key_expires_at
      from found where claimed_at is null and revoked_at is null and expires_at > ${now}
      on conflict do nothing
      returning *
    ), used as (
      update ${names.claims} c set claimed_at = ${now}, key_id = made.key_id
      from made, found where c.claim_id = found.claim_id
      returning c.*
    )
    select ${selectRecord(names, 'made')} as record, ${selectClaim('used')} as claim from used, made
    union all
    select null, ${selectClaim('found')} from found where not exists (select from used)`;
  const values = [tokenDigest, keyId, digest, instantParameter(createdAt)];
  const [row] = await session.query('takeClaim', { text, values });
  if (!row) {
    await assertNothingHidden(session, 'claims', commandsOf.change);
    return { outcome: 'unknown' };
  }
  const claim = readClaim(row);
  if (row['record'] != null) return { outcome: 'claimed', claim, record: readRecord(row) };
  const outcome = claimStatusOf(claim, createdAt);
  if (outcome === 'open') throw duplicateKey();
  return { outcome, claim };
}

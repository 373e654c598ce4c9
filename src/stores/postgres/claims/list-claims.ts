import {
  ClaimError,
  type ClaimQuery,
  type ClaimRecord,
  type ClaimStatus,
} from '../../claim-store.js';
import { assertNothingHidden } from '../hidden-rows.js';
import { instantParameter, instantSql, searchParameter } from '../parameters.js';
import type { Session } from '../session.js';
import { readClaim, selectClaim } from './claim-record.js';

const conditions: Readonly<Record<ClaimStatus, string>> = {
  used: 'c.claimed_at is not null',
  revoked: 'c.claimed_at is null and c.revoked_at is not null',
  expired: `c.claimed_at is null and c.revoked_at is null and c.expires_at <= ${instantSql('$1')}`,
  open: `c.claimed_at is null and c.revoked_at is null and c.expires_at > ${instantSql('$1')}`,
};

export async function listClaims(
  session: Session,
  { status, limit, cursor, now }: ClaimQuery,
): Promise<ClaimRecord[]> {
  const { names } = session;
  const values = [instantParameter(now), String(limit)];
  const page = (after = '') => `select ${selectClaim()} as claim from ${names.claims} c
    where ${instantSql('$1')} is not null ${status === undefined ? '' : `and ${conditions[status]}`} ${after}
    order by c.created_at desc, c.claim_id desc limit $2::text::bigint`;
  if (cursor === undefined) {
    const rows = await session.search('listClaims', { text: page(), values });
    if (rows.length < limit) await assertNothingHidden(session, 'claims');
    return rows.map(readClaim);
  }
  // As in the list of keys: the row of the cursor comes alone where none follows.
  const text = `select page.claim from ${names.claims} s
    left join lateral (${page('and (c.created_at, c.claim_id) < (s.created_at, s.claim_id)')}) page on true
    where s.claim_id = $${values.push(searchParameter(cursor))}::text`;
  const rows = await session.search('listClaims', { text, values });
  if (rows.length < limit) await assertNothingHidden(session, 'claims');
  if (rows.length === 0) throw new ClaimError('unknown_claim_id');
  return rows.filter(({ claim }) => claim !== null).map(readClaim);
}

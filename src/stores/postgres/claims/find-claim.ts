import type { ClaimRecord } from '../../claim-store.js';
import { assertNothingHidden } from '../hidden-rows.js';
import type { Session } from '../session.js';
import { readClaim, selectClaim } from './claim-record.js';

export async function findClaim(
  session: Session,
  tokenDigest: string,
): Promise<ClaimRecord | undefined> {
  const { names } = session;
  const text = `select ${selectClaim()} as claim from ${names.claims} c where c.token_digest = $1::text`;
  const [row] = await session.query('findClaim', { text, values: [tokenDigest] });
  if (!row) await assertNothingHidden(session, 'claims');
  return row && readClaim(row);
}

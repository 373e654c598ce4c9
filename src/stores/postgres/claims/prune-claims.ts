import { assertNothingHidden, commandsOf } from '../hidden-rows.js';
import { instantParameter, instantSql } from '../parameters.js';
import type { Session } from '../session.js';

export async function pruneClaims(session: Session, before: Date): Promise<number> {
  const { names } = session;
  const text = `with gone as (
      delete from ${names.claims} where coalesce(claimed_at, revoked_at, expires_at) <= ${instantSql('$1')} returning 1
    )
    select pg_catalog.count(*)::text as count from gone`;
  await assertNothingHidden(session, 'claims', commandsOf.delete, 'pruneClaims');
  const [row] = await session.query('pruneClaims', { text, values: [instantParameter(before)] });
  return Number(row?.['count']);
}

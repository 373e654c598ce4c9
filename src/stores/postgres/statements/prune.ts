import { instantParameter, instantSql } from '../parameters.js';
import type { Session } from '../session.js';

export async function prune(session: Session, before: Date): Promise<number> {
  const { names } = session;
  const text = `with doomed as (
      select key_id from ${names.keys}
      where revoked_at <= ${instantSql('$1')} or expires_at <= ${instantSql('$1')}
      order by key_id for update
    ), gone as (
      delete from ${names.keys} k using doomed where k.key_id = doomed.key_id returning 1
    )
    select count(*)::text as count from gone`;
  const [row] = await session.query('prune', { text, values: [instantParameter(before)] });
  return Number(row?.['count']);
}

import type { Database } from '../database.js';
import type { Names } from '../names.js';
import { instantParameter, instantSql } from '../parameters.js';

export async function prune(
  database: Database,
  names: Names,
  before: Date,
  limitMs: number,
): Promise<number> {
  const text = `with doomed as (
      select key_id from ${names.keys}
      where revoked_at < ${instantSql('$1')} or expires_at < ${instantSql('$1')}
      order by key_id for update
    ), gone as (
      delete from ${names.keys} k using doomed where k.key_id = doomed.key_id returning 1
    )
    select count(*)::text as count from gone`;
  const [row] = await database.query('prune', { text, values: [instantParameter(before)] }, limitMs);
  return Number(row?.['count']);
}

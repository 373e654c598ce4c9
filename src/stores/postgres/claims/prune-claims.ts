import type { Database } from '../database.js';
import type { Names } from '../names.js';
import { instantParameter, instantSql } from '../parameters.js';

export async function pruneClaims(
  database: Database,
  names: Names,
  before: Date,
  limitMs: number,
): Promise<number> {
  const text = `with gone as (
      delete from ${names.claims} where coalesce(claimed_at, revoked_at, expires_at) < ${instantSql('$1')} returning 1
    )
    select count(*)::text as count from gone`;
  const [row] = await database.query('prune', { text, values: [instantParameter(before)] }, limitMs);
  return Number(row?.['count']);
}

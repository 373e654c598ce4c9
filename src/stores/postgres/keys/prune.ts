import type { WriteOptions } from '../../key-store.js';
import { contextParameter, contextSql } from '../context.js';
import { assertNothingHidden, commandsOf } from '../hidden-rows.js';
import { instantParameter, instantSql } from '../parameters.js';
import type { Executor } from '../database.js';

export async function prune(
  executor: Executor,
  before: Date,
  { context }: WriteOptions = {},
): Promise<number> {
  const { names } = executor;
  const isDead = (k: string) =>
    `coalesce(${k}.revoked_at <= ${instantSql('$1')} or ${k}.expires_at <= ${instantSql('$1')},
      false)`;
  // A dead key stays while a key before it lives. Without its record, that one could be rotated
  // again, get a later end, or be missed when its family is revoked.
  const text = `with recursive ${contextSql('$2')}, needed as (
      select k.key_id from ${names.keys} k join ${names.keys} old on old.key_id = k.replaces
      where ${isDead('k')} and not ${isDead('old')}
      union
      select k.key_id from needed join ${names.keys} k on k.replaces = needed.key_id
        where ${isDead('k')}
    ), doomed as (
      select k.key_id from ${names.keys} k
      where ${isDead('k')} and not exists (select from needed where needed.key_id = k.key_id)
      order by k.key_id for update
    ), gone as (
      delete from ${names.keys} k using doomed, context where k.key_id = doomed.key_id returning 1
    )
    select pg_catalog.count(*)::text as count from gone`;
  await assertNothingHidden(executor, 'keys', commandsOf.delete, 'prune');
  const values = [instantParameter(before), contextParameter(context)];
  const [row] = await executor.query('prune', { text, values });
  return Number(row?.['count']);
}

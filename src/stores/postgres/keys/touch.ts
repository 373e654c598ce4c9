import type { KeyUse } from '../../key-store.js';
import { assertNothingHidden, commandsOf, hiddenRow } from '../hidden-rows.js';
import { boundUse } from '../schema/first-use.js';
import { contextParameter, contextSql } from '../context.js';
import type { Executor } from '../database.js';

export async function touch(executor: Executor, uses: readonly KeyUse[]): Promise<void> {
  const { names } = executor;
  const known = uses.filter(({ keyId }) => !keyId.includes('\0'));
  if (known.length === 0) return;
  // Locks the rows in the order of ids before any is changed, together with the keys that a trigger
  // will end. Processes that write the same keys at once then wait for each other instead of
  // deadlocking.
  const text = `with ${contextSql('$2')}, uses as (
      select key_id, pg_catalog.to_timestamp(pg_catalog.max(used_at) / 1000::float8) as used_at
      from pg_catalog.jsonb_to_recordset($1::text::jsonb) as given (key_id text, used_at float8)
      group by key_id
    ), concerned as (
      select key_id from uses
      union
      select s.replaces from uses join ${names.keys} s using (key_id)
      where s.overlap_ms is not null
    ), locked as materialized (
      select key_id from ${names.keys} where key_id in (select key_id from concerned)
      order by key_id for no key update
    ),
    written as (
      update ${names.keys} k
      set last_used_at = greatest(k.last_used_at, ${boundUse('k', 'uses.used_at')})
      from context, uses join locked using (key_id)
      where k.key_id = uses.key_id
        and (k.last_used_at is null or k.last_used_at < ${boundUse('k', 'uses.used_at')})
    )
    ${hiddenRow(names)}`;
  const values = [
    JSON.stringify(
      known.map(({ keyId, usedAt }) => ({ key_id: keyId, used_at: usedAt.getTime() })),
    ),
    contextParameter(),
  ];
  const [hidden] = await executor.query('touch', { text, values });
  if (hidden) await assertNothingHidden(executor, 'keys', commandsOf.change);
}

import type { KeyNotice, NoticeQuery } from '../../key-store.js';
import { instantParameter, instantSql } from '../parameters.js';
import { readRecord, selectRecord } from '../record.js';
import type { Executor } from '../database.js';

export async function takeNotices(
  executor: Executor,
  { beforeMs, now }: NoticeQuery,
): Promise<KeyNotice[]> {
  const { names } = executor;
  const at = instantSql('$2');
  // Of several calls at once, the first writes the row. The others wait for it and then find
  // nothing to report. Rows are written in the order of ids, so calls never deadlock. Notices for
  // ends that have passed are deleted.
  const text = `with due as (
      select k.key_id, k.expires_at, pg_catalog.min(threshold.ms) as before_ms
      from ${names.keys} k join pg_catalog.jsonb_array_elements_text($1::text::jsonb) as given (ms)
        on true
        cross join lateral (select given.ms::bigint as ms) threshold
      where k.revoked_at is null and k.expires_at > ${at}
        and k.expires_at <= ${at} + threshold.ms::float8 * interval '1 millisecond'
        and not exists (select from ${names.keys} s where s.replaces = k.key_id)
      group by k.key_id, k.expires_at
    ), told as (
      insert into ${names.notices} as n (key_id, expires_at, before_ms)
      select key_id, expires_at, before_ms from due order by key_id, expires_at
      on conflict (key_id, expires_at) do update set before_ms = excluded.before_ms,
        told_at = excluded.told_at
        where n.before_ms > excluded.before_ms
      returning n.key_id, n.before_ms
    ), gone as (
      delete from ${names.notices} n using (
        select key_id, expires_at from ${names.notices} where expires_at <= ${at}
          order by key_id, expires_at for update skip locked
      ) past
      where n.key_id = past.key_id and n.expires_at = past.expires_at
    )
    select told.before_ms::text as before_ms, ${selectRecord(names)} as record
    from told join ${names.keys} k using (key_id) order by k.expires_at, k.key_id`;
  const values = [JSON.stringify(beforeMs), instantParameter(now)];
  const rows = await executor.query('takeNotices', { text, values });
  return rows.map((row) => {
    const record = readRecord(row);
    return { record, beforeMs: Number(row['before_ms']), expiresAt: record.expiresAt! };
  });
}

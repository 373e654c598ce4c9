import type { KeyNotice, NoticeQuery } from '../../key-store.js';
import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { readRecord, recordColumns } from '../record.js';
import { timeSql, timeText } from '../values.js';

/** Finds the keys to report, in the transaction that marks them as reported. */
export function takeNotices(
  connection: Connection,
  names: Names,
  { beforeMs, now }: NoticeQuery,
): KeyNotice[] {
  const thresholds = beforeMs.toSorted((a, b) => a - b);
  const farthest = thresholds.at(-1);
  if (farthest === undefined) return [];
  const rows = connection.all(
    `select ${recordColumns(names)}, n.before_ms as reported_ms
      from ${names.keys} k
      left join ${names.notices} n on n.key_id = k.key_id
        and n.expires_at = ${timeSql('k.expires_at')}
      where k.revoked_at is null and ${timeSql('k.expires_at')} > ?
        and ${timeSql('k.expires_at')} <= ?
        and not exists (select 1 from ${names.keys} s where s.replaces = k.key_id)
      order by ${timeSql('k.expires_at')}, k.key_id`,
    timeText(now),
    timeText(new Date(now.getTime() + farthest)),
  );
  const notices: KeyNotice[] = [];
  for (const row of rows) {
    const record = readRecord(row);
    const expiresAt = record.expiresAt!;
    const threshold = thresholds.find((each) => expiresAt.getTime() - each <= now.getTime());
    const reported = row['reported_ms'];
    if (threshold === undefined || (reported != null && Number(reported) <= threshold)) continue;
    connection.run(
      `insert into ${names.notices} (key_id, expires_at, before_ms) values (?, ?, ?)
        on conflict (key_id, expires_at) do update set before_ms = excluded.before_ms`,
      record.keyId,
      timeText(expiresAt),
      threshold,
    );
    notices.push({ record, beforeMs: threshold, expiresAt });
  }
  return notices;
}

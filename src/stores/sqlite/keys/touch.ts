import type { KeyUse } from '../../key-store.js';
import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { isStorable, readTime, timeSql, timeText } from '../values.js';
import { endKeyAt } from './rotate.js';

export function touch(connection: Connection, names: Names, uses: readonly KeyUse[]): void {
  for (const { keyId, usedAt } of uses.filter((use) => isStorable(use.keyId))) {
    const [used] = connection.all(
      `update ${names.keys} set last_used_at = ?
        where key_id = ? and (last_used_at is null or ${timeSql('last_used_at')} < ?)
        returning last_used_at, replaces, overlap_ms`,
      timeText(usedAt),
      keyId,
      timeText(usedAt),
    );
    if (used?.['overlap_ms'] == null) continue;
    // After a first use, the end of the key before is certain.
    const deadline = readTime(used['last_used_at']).getTime() + Number(used['overlap_ms']);
    endKeyAt(connection, names, used['replaces'] as string, deadline);
    connection.run(`update ${names.keys} set overlap_ms = null where key_id = ?`, keyId);
  }
}

/** Whether one of the uses may end another key. That cannot wait for the next flush. */
export function hasFirstUse(
  connection: Connection,
  names: Names,
  uses: readonly KeyUse[],
): boolean {
  const ids = uses.map(({ keyId }) => keyId).filter(isStorable);
  const rows = connection.all(
    `select 1 from json_each(?) used join ${names.keys} k on k.key_id = used.value
      where k.overlap_ms is not null limit 1`,
    JSON.stringify(ids),
  );
  return rows.length > 0;
}

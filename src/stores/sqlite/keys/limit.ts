import type { KeyRecord } from '../../key-record.js';
import type { KeyLimit } from '../../key-store.js';
import { tooManyKeys } from '../../key-store-error.js';
import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { timeSql, timeText } from '../values.js';

/**
 * Counts after the change, in its transaction, so concurrent changes cannot exceed the limit.
 *
 * @throws {KeyStoreError} `too_many_keys`
 */
export function assertWithinLimit(
  connection: Connection,
  names: Names,
  added: KeyRecord,
  limit: KeyLimit | undefined,
): void {
  if (!limit || !counts(added, limit.now)) return;
  const [row] = connection.all(
    `select count(*) as count from ${names.keys} k
      where k.user_name = ? and k.revoked_at is null
        and (k.expires_at is null or ${timeSql('k.expires_at')} > ?)
        and not exists (select 1 from ${names.keys} s where s.replaces = k.key_id)`,
    added.user,
    timeText(limit.now),
  );
  if (Number(row?.['count']) > limit.maxKeysPerUser) throw tooManyKeys();
}

const counts = ({ revokedAt, expiresAt, replacedBy }: KeyRecord, now: Date) =>
  !revokedAt && (!expiresAt || expiresAt > now) && replacedBy === undefined;

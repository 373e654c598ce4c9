import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { timeSql, timeText } from '../values.js';

export function prune(connection: Connection, names: Names, before: Date): number {
  const isDead = (k: string) => `coalesce(
      ${timeSql(`${k}.revoked_at`)} <= (select at from given)
      or ${timeSql(`${k}.expires_at`)} <= (select at from given), 0)`;
  // A dead key stays while a key before it lives. Without its record, that one could be rotated
  // again, get a later end, or be missed when its family is revoked.
  return connection.run(
    // Bound once: better-sqlite3 does not bind numbered parameters by place.
    `with recursive given (at) as (select ?), needed (key_id) as (
        select k.key_id from ${names.keys} k join ${names.keys} old on old.key_id = k.replaces
        where ${isDead('k')} and not ${isDead('old')}
        union
        select k.key_id from needed join ${names.keys} k on k.replaces = needed.key_id
        where ${isDead('k')}
      )
      delete from ${names.keys}
      where ${isDead(names.keys)} and key_id not in (select key_id from needed)`,
    timeText(before),
  );
}

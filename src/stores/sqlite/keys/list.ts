import { expiringMs, type KeyRecord, type KeyStatus } from '../../key-record.js';
import type { KeyQuery } from '../../key-store.js';
import { unknownKeyId } from '../../key-store-error.js';
import type { Connection, SqliteValue } from '../driver.js';
import type { Names } from '../names.js';
import { readRecord, recordColumns } from '../record.js';
import { isStorable, timeSql, timeText } from '../values.js';

export function list(connection: Connection, names: Names, query: KeyQuery): KeyRecord[] {
  const { user, search, status, unusedSince, expiresBy, limit, cursor, now } = query;
  const conditions: string[] = [];
  const values: SqliteValue[] = [];
  const where = (condition: string, ...given: SqliteValue[]) => {
    conditions.push(condition);
    values.push(...given);
  };
  const texts = [user, search].filter((each) => each !== undefined);
  if (cursor !== undefined) {
    const [found] = isStorable(cursor)
      ? connection.all(
          `select ${timeSql('created_at')} as created_at from ${names.keys} where key_id = ?`,
          cursor,
        )
      : [];
    if (!found) throw unknownKeyId();
    where(`(${timeSql('k.created_at')}, k.key_id) < (?, ?)`, found['created_at'] as string, cursor);
  }
  if (!texts.every(isStorable)) return [];
  if (user !== undefined) where('k.user_name = ?', user);
  if (search !== undefined) {
    const pattern = globPattern(search);
    where('(k.user_name glob ? or k.name glob ? or k.key_id glob ?)', pattern, pattern, pattern);
  }
  if (status !== undefined) where(conditionOf(status, names));
  if (unusedSince !== undefined) {
    const lastUsed = timeSql('coalesce(k.last_used_at, k.created_at)');
    where(`${isUsable} and not ${isPaused} and ${lastUsed} <= ?`, timeText(unusedSince));
  }
  if (expiresBy !== undefined)
    where(`${isUsable} and ${timeSql('k.expires_at')} <= ?`, timeText(expiresBy));
  return connection
    .all(
      `select ${recordColumns(names)} from ${names.keys} k, (select ? as at, ? as soon) q
        where ${['true', ...conditions].join(' and ')}
        order by ${timeSql('k.created_at')} desc, k.key_id desc limit ?`,
      timeText(now),
      timeText(new Date(now.getTime() + expiringMs)),
      ...values,
      limit,
    )
    .map(readRecord);
}

const isUsable = `k.revoked_at is null
  and (k.expires_at is null or ${timeSql('k.expires_at')} > q.at)`;
const isPaused = `(k.paused_at is not null
  and (k.paused_until is null or ${timeSql('k.paused_until')} > q.at))`;

function conditionOf(status: KeyStatus, names: Names): string {
  const isReplaced = `exists (select 1 from ${names.keys} s where s.replaces = k.key_id)`;
  const active = `${isUsable} and not ${isPaused}`;
  switch (status) {
    case 'revoked':
      return 'k.revoked_at is not null';
    case 'expired':
      return `k.revoked_at is null and ${timeSql('k.expires_at')} <= q.at`;
    case 'paused':
      return `${isUsable} and ${isPaused}`;
    case 'rotating':
      return `${active} and ${isReplaced}`;
    case 'expiring':
      return `${active} and not ${isReplaced} and ${timeSql('k.expires_at')} <= q.soon`;
    case 'active':
      return active;
  }
}

/**
 * A pattern that matches a literal text in any case. SQLite's own `lower` and `like` only know
 * ASCII letters.
 */
function globPattern(search: string): string {
  const characters = Array.from(search, (character) => {
    if ('*?['.includes(character)) return `[${character}]`;
    const variants = [character.toLowerCase(), character.toUpperCase()].filter(
      // `ß` in upper case is two letters, which a class of characters cannot hold.
      (each) => Array.from(each).length === 1 && each !== character,
    );
    const all = [...new Set([character, ...variants])];
    return all.length === 1 ? character : `[${all.join('')}]`;
  });
  return `*${characters.join('')}*`;
}

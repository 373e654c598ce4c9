import type { ChangeVia } from '../../keys/diagnostics.js';
import type { ChangedField, EventQuery, EventStore, KeyEvent } from '../key-event.js';
import type { KeyEventType } from '../key-event.js';
import { unknownEventId } from '../key-store-error.js';
import type { Database } from './database.js';
import type { Connection, Row, SqliteValue } from './driver.js';
import type { Names } from './names.js';
import { isStorable, readJson, readTime, storable, text, timeSql, timeText } from './values.js';

/** Keeps events. Triggers write them in one step with each change. */
export class SqliteEventStore implements EventStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(query: EventQuery): Promise<KeyEvent[]> {
    const { names } = this.#database;
    return this.#database.read('history', (connection) => list(connection, names, query));
  }

  async prune(before: Date): Promise<number> {
    const { names } = this.#database;
    const sql = `delete from ${names.events} where ${timeSql('at')} < ?`;
    return this.#database.transact('pruneEvents', (connection) =>
      connection.run(sql, timeText(before)),
    );
  }
}

function list(
  connection: Connection,
  names: Names,
  { keyId, user, since, limit, cursor }: EventQuery,
): KeyEvent[] {
  const where = ['true'];
  const values: SqliteValue[] = [];
  if (cursor !== undefined) {
    const sql = `select seq from ${names.events} where event_id = ?`;
    const found = isStorable(cursor) ? connection.all(sql, cursor) : [];
    if (!found[0]) throw unknownEventId();
    where.push('e.seq < ?');
    values.push(Number(found[0]['seq']));
  }
  if (![keyId, user].every((each) => each === undefined || isStorable(each))) return [];
  if (keyId !== undefined) {
    where.push('e.key_id = ?');
    values.push(keyId);
  }
  if (user !== undefined) {
    where.push('(e.user_name = ? or e.previous_user = ?)');
    values.push(user, user);
  }
  if (since !== undefined) {
    where.push(`${timeSql('e.at')} >= ?`);
    values.push(timeText(since));
  }
  return connection
    .all(
      `select e.* from ${names.events} e where ${where.join(' and ')} order by e.seq desc limit ?`,
      ...values,
      limit,
    )
    .map(readEvent);
}

/** Adds an event unchanged, for copying. */
export function insertEvent(connection: Connection, names: Names, event: KeyEvent): void {
  const previousUser = event.changes?.user?.[0];
  connection.run(
    `insert into ${names.events} (event_id, at, what, key_id, claim_id, user_name, previous_user,
      changed_by, reason, via, changes) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    event.eventId,
    timeText(event.at),
    event.what,
    storable(event.keyId ?? null),
    storable(event.claimId ?? null),
    storable(event.user),
    typeof previousUser === 'string' ? storable(previousUser) : null,
    storable(event.by ?? null),
    storable(event.reason ?? null),
    event.via,
    event.changes ? JSON.stringify(event.changes) : null,
  );
}

export function readEvent(row: Row): KeyEvent {
  return {
    eventId: row['event_id'] as string,
    at: readTime(row['at']),
    what: row['what'] as KeyEventType,
    ...text('keyId', row['key_id']),
    ...text('claimId', row['claim_id']),
    user: row['user_name'] as string,
    ...text('by', row['changed_by']),
    ...text('reason', row['reason']),
    via: row['via'] as ChangeVia,
    ...(row['changes'] != null && {
      changes: readJson(row['changes']) as Partial<Record<ChangedField, [unknown, unknown]>>,
    }),
  };
}

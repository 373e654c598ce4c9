import { maskEventText, maskEventValue } from '../event-changes.js';
import type { ChangeContext } from '../key-event.js';
import type { Connection } from './driver.js';
import type { Names } from './names.js';
import { storable } from './values.js';

/** What the triggers write into the events of a change, besides the change itself. */
export interface EventContext {
  readonly context?: ChangeContext | undefined;
  /** The type of event for an added key, if it is not `created`. */
  readonly added?: 'imported' | 'claimed' | undefined;
  /** The key that a rotation replaces, and its successor. */
  readonly rotates?: readonly [keyId: string, successor: string] | undefined;
  /** Whether to leave no event, for keys that are copied together with their events. */
  readonly isSilent?: boolean | undefined;
}

/**
 * Runs `work` while the triggers can read the context. It runs in a transaction, so nobody else
 * sees the context.
 */
export function withContext<Result>(
  connection: Connection,
  names: Names,
  events: EventContext,
  work: (connection: Connection) => Result,
): Result {
  const last = lastEvent(connection, names);
  setContext(connection, names, events);
  const result = work(connection);
  if (!events.isSilent) maskEvents(connection, names, last);
  connection.run(`delete from ${names.context}`);
  return result;
}

function setContext(
  connection: Connection,
  names: Names,
  { context, added, rotates, isSilent = false }: EventContext,
): void {
  const { by, reason, via = 'code', isImport = false } = context ?? {};
  const [rotated, successor] = rotates ?? [];
  connection.run(
    `insert or replace into ${names.context}
      (id, via, changed_by, reason, added, is_silent, rotates, successor)
      values (1, ?, ?, ?, ?, ?, ?, ?)`,
    via,
    by === undefined ? null : storable(maskEventText(by)),
    reason === undefined ? null : storable(maskEventText(reason)),
    added ?? (isImport ? 'imported' : null),
    isSilent ? 1 : 0,
    rotated ?? null,
    successor ?? null,
  );
}

function lastEvent(connection: Connection, names: Names): number {
  const [row] = connection.all(`select max(seq) as seq from ${names.events}`);
  return Number(row?.['seq'] ?? 0);
}

/** Masks secrets in what the triggers have just written, before it is committed. */
function maskEvents(connection: Connection, names: Names, last: number): void {
  const rows = connection.all(
    `select seq, changes from ${names.events} where seq > ? and changes is not null`,
    last,
  );
  for (const row of rows) {
    const json = row['changes'] as string;
    // The ids of successors are made by this library.
    const { replacedBy, ...changes } = JSON.parse(json) as Record<string, unknown>;
    const masked = JSON.stringify({
      ...(maskEventValue(changes) as object),
      ...(replacedBy !== undefined && { replacedBy }),
    });
    if (masked === json) continue;
    const sql = `update ${names.events} set changes = ? where seq = ?`;
    connection.run(sql, masked, Number(row['seq']));
  }
}

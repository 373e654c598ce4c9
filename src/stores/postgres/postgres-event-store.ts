import type { EventQuery, EventStore, KeyEvent } from '../key-event.js';
import { unknownEventId } from '../key-store-error.js';
import { readEvent, selectEvent } from './event-record.js';
import { instantParameter, instantSql, searchParameter } from './parameters.js';
import type { Executors } from './database.js';

/** Reads the events that the triggers write. */
export class PostgresEventStore implements EventStore {
  readonly #executors: Executors;

  constructor(executors: Executors) {
    this.#executors = executors;
  }

  async list({ keyId, user, since, limit, cursor }: EventQuery): Promise<KeyEvent[]> {
    const { events } = this.#executors.change.names;
    const values = [String(limit)];
    const conditions: string[] = [];
    const parameter = (value: string | null) => `$${values.push(value as string)}`;
    if (keyId !== undefined)
      conditions.push(`e.key_id = ${parameter(searchParameter(keyId))}::text`);
    if (user !== undefined) {
      const name = `${parameter(searchParameter(user))}::text`;
      conditions.push(`(e.user_name = ${name} or e.previous_user = ${name})`);
    }
    if (since !== undefined)
      conditions.push(`e.at >= ${instantSql(parameter(instantParameter(since)))}`);
    const page = (after: string[]) => {
      const all = [...conditions, ...after];
      return `select ${selectEvent('e')} as event from ${events} e
        ${all.length === 0 ? '' : `where ${all.join(' and ')}`}
        order by e.at desc, e.seq desc limit $1::text::bigint`;
    };
    if (cursor === undefined) {
      const rows = await this.#executors.change.search('history', { text: page([]), values });
      return rows.map(readEvent);
    }
    // As in the list of keys: the row of the cursor comes alone if none follows.
    const rest = page(['(e.at, e.seq) < (c.at, c.seq)']);
    const text = `select page.event from ${events} c left join lateral (${rest}) page on true
      where c.event_id = ${parameter(searchParameter(cursor))}::text`;
    const rows = await this.#executors.change.search('history', { text, values });
    if (rows.length === 0) throw unknownEventId();
    return rows.filter(({ event }) => event !== null).map(readEvent);
  }

  async prune(before: Date): Promise<number> {
    const executor = this.#executors.prune;
    const text = `with gone as (
        delete from ${executor.names.events} where at < ${instantSql('$1')} returning 1
      )
      select pg_catalog.count(*)::text as count from gone`;
    const values = [instantParameter(before)];
    const [row] = await executor.query('pruneEvents', { text, values });
    return Number(row?.['count']);
  }
}

import type { KeyUsage, UsageQuery, UsageStore } from '../key-usage.js';
import { searchParameter } from './parameters.js';
import type { Row, Executors } from './database.js';

/** Keeps uses per day in a table of their own. */
export class PostgresUsageStore implements UsageStore {
  readonly #executors: Executors;

  constructor(executors: Executors) {
    this.#executors = executors;
  }

  async add(counts: readonly KeyUsage[]): Promise<void> {
    const executor = this.#executors.change;
    const known = counts.filter(({ keyId, user }) => !`${keyId}${user}`.includes('\0'));
    if (known.length === 0) return;
    // In the order of the primary key, so that processes that count the same keys at once wait for
    // each other instead of deadlocking.
    const text = `insert into ${executor.names.usage} as u
        (day, key_id, user_name, admitted, refused)
      select day, key_id, pg_catalog.max(user_name), pg_catalog.sum(admitted)::bigint,
        pg_catalog.sum(refused)::bigint
      from ${given('$1')}
      group by day, key_id order by day, key_id
      on conflict (day, key_id) do update set user_name = excluded.user_name,
        admitted = u.admitted + excluded.admitted, refused = u.refused + excluded.refused`;
    await executor.query('countUses', { text, values: [usageParameter(known)] });
  }

  async list({ keyId, user, from, to }: UsageQuery): Promise<KeyUsage[]> {
    const executor = this.#executors.change;
    const values: (string | null)[] = [from, to];
    const conditions = ['u.day >= $1::text::date', 'u.day <= $2::text::date'];
    if (keyId !== undefined)
      conditions.push(`u.key_id = $${values.push(searchParameter(keyId))}::text`);
    if (user !== undefined)
      conditions.push(`u.user_name = $${values.push(searchParameter(user))}::text`);
    const text = `select ${selectUsage('u')} as usage from ${executor.names.usage} u
      where ${conditions.join(' and ')} order by u.day, u.key_id`;
    const rows = await executor.search('usage', { text, values });
    return rows.map(readUsage);
  }

  async prune(beforeDay: string): Promise<number> {
    const executor = this.#executors.prune;
    const text = `with gone as (
        delete from ${executor.names.usage} where day < $1::text::date returning 1
      )
      select pg_catalog.count(*)::text as count from gone`;
    const [row] = await executor.query('pruneUsage', { text, values: [beforeDay] });
    return Number(row?.['count']);
  }
}

/** Counts as a parameter for {@link given}. */
export const usageParameter = (counts: readonly KeyUsage[]): string =>
  JSON.stringify(
    counts.map(({ keyId, user, ...rest }) => ({ ...rest, key_id: keyId, user_name: user })),
  );

export const given = (parameter: string): string =>
  `pg_catalog.jsonb_to_recordset(${parameter}::text::jsonb)
        as given (day date, key_id text, user_name text, admitted bigint, refused bigint)`;

/** The counts of row `u` as one JSON text. A day reads alike in every date style of the session. */
export const selectUsage = (u: string): string => `pg_catalog.json_build_object(
    'day', ${u}.day, 'keyId', ${u}.key_id, 'user', ${u}.user_name,
    'admitted', ${u}.admitted, 'refused', ${u}.refused
  )::text`;

export const readUsage = (row: Row): KeyUsage => JSON.parse(row['usage'] ?? '{}') as KeyUsage;

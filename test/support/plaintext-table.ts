import { beforeEach } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from './postgres.js';
import { sha256Hex } from './sample-key.js';

export const database = await createDatabase();
// A zone other than UTC: times without one must not be read as the session's.
export const pool = database.pool({ options: '-c timezone=America/New_York', max: 20 });
export const now = new Date();
/** The table of the test that runs. */
export let table: string;
let count = 0;

/** Goes on to another table. */
export const nextTable = (prefix: string): void => {
  table = `${prefix}_${++count}`;
};

beforeEach(() => nextTable('plain'));

export const storeOf = () => new PostgresKeyStore({ client: pool, table });
export const digestOf = (key: string) => `sha256:${sha256Hex(key)}`;

/** Makes the table that many applications start with. */
export async function plaintextTable(
  columns = 'created_at timestamp default now(), last_used timestamp, is_active boolean default true',
  key = 'text unique',
): Promise<void> {
  await pool.query(
    `create table ${table} (id serial primary key, user_name text, api_key ${key}, ${columns})`,
  );
}

export const insertOld = (
  user: string | null,
  key: string | null,
  more: Record<string, unknown> = {},
) => {
  const values = { user_name: user, api_key: key, ...more };
  const names = Object.keys(values);
  return pool.query(
    `insert into ${table} (${names.join(', ')}) values (${names.map((_, n) => `$${n + 1}`).join(', ')})`,
    Object.values(values),
  );
};

export const fill = (from: number, to: number) =>
  pool.query(
    `insert into ${table} (user_name, api_key, is_active)
     select 'user' || n, 'legacy-key-number-' || n, n % 10 <> 0 from generate_series($1::int, $2::int) n`,
    [from, to],
  );

export const columnsOf = async () => {
  const { rows } = await pool.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end as type
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [table],
  );
  return Object.fromEntries(rows.map(({ name, type }) => [name, type]));
};

/** The summary of a table without rows. */
export const none = {
  adopted: 0,
  revoked: 0,
  unowned: 0,
  unpresentable: 0,
  digestLike: 0,
  skipped: { withoutKey: 0, duplicates: 0 },
  wasUpToDate: false,
};

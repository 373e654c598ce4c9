import type { KeyUsage, UsageQuery, UsageStore } from '../key-usage.js';
import type { Database } from './database.js';
import type { Connection, Row, SqliteValue } from './driver.js';
import type { Names } from './names.js';
import { isStorable, storable } from './values.js';

/** Keeps uses per day. */
export class SqliteUsageStore implements UsageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async add(counts: readonly KeyUsage[]): Promise<void> {
    const { names } = this.#database;
    await this.#database.transact(
      'countUses',
      (connection) => {
        for (const usage of counts) addUsage(connection, names, usage);
      },
      false,
    );
  }

  async list({ keyId, user, from, to }: UsageQuery): Promise<KeyUsage[]> {
    const { names } = this.#database;
    const where = ['day >= ?', 'day <= ?'];
    const values: SqliteValue[] = [from, to];
    for (const [column, value] of [
      ['key_id', keyId],
      ['user_name', user],
    ] as const) {
      if (value === undefined) continue;
      if (!isStorable(value)) return [];
      where.push(`${column} = ?`);
      values.push(value);
    }
    const rows = await this.#database.read('usage', (connection) =>
      connection.all(
        `select * from ${names.usage} where ${where.join(' and ')} order by day, key_id`,
        ...values,
      ),
    );
    return rows.map(readUsage);
  }

  async prune(beforeDay: string): Promise<number> {
    const { names } = this.#database;
    const sql = `delete from ${names.usage} where day < ?`;
    return this.#database.transact('pruneUsage', (connection) => connection.run(sql, beforeDay));
  }
}

/** Adds to the counts of the same key and day. */
export function addUsage(
  connection: Connection,
  names: Names,
  { day, keyId, user, admitted, refused }: KeyUsage,
): void {
  connection.run(
    `insert into ${names.usage} (day, key_id, user_name, admitted, refused)
      values (?, ?, ?, ?, ?)
      on conflict (day, key_id) do update set user_name = excluded.user_name,
        admitted = admitted + excluded.admitted, refused = refused + excluded.refused`,
    day,
    storable(keyId),
    storable(user),
    admitted,
    refused,
  );
}

export const readUsage = (row: Row): KeyUsage => ({
  day: row['day'] as string,
  keyId: row['key_id'] as string,
  user: row['user_name'] as string,
  admitted: Number(row['admitted']),
  refused: Number(row['refused']),
});

import type { StoredClaim } from '../claim-store.js';
import type { KeyEvent } from '../key-event.js';
import type { StoredKey } from '../key-record.js';
import type { KeyUsage } from '../key-usage.js';
import {
  archiveBatch,
  sortClaims,
  sortEvents,
  sortKeys,
  sortUsage,
  type ArchiveOptions,
  type ArchiveResult,
  type Sorted,
  type StoreArchive,
} from '../store-archive.js';
import type { Database } from './database.js';
import type { Connection, Row, SqliteValue } from './driver.js';
import { insert } from './keys/insert.js';
import { readStoredKey, recordColumns } from './record.js';
import { insertClaim, readClaim } from './sqlite-claim-store.js';
import { insertEvent, readEvent } from './sqlite-event-store.js';
import { addUsage, readUsage } from './sqlite-usage-store.js';
import { timeSql } from './values.js';

/** Everything that a SQLite store keeps, for copying. */
export class SqliteArchive implements StoreArchive {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  readKeys(): AsyncIterable<readonly StoredKey[]> {
    const { names } = this.#database;
    const created = timeSql('k.created_at');
    return this.#pages(
      (after) => `select k.digest, ${recordColumns(names)}, ${created} as cursor_at
        from ${names.keys} k where (${created}, k.key_id) > ${after}
        order by ${created}, k.key_id`,
      (row) => [row['cursor_at'] as string, row['key_id'] as string],
      readStoredKey,
    );
  }

  readClaims(): AsyncIterable<readonly StoredClaim[]> {
    const created = timeSql('created_at');
    return this.#pages(
      (after) => `select *, ${created} as cursor_at from ${this.#database.names.claims}
        where (${created}, claim_id) > ${after} order by ${created}, claim_id`,
      (row) => [row['cursor_at'] as string, row['claim_id'] as string],
      readStoredClaim,
    );
  }

  readEvents(): AsyncIterable<readonly KeyEvent[]> {
    return this.#pages(
      (after) => `select * from ${this.#database.names.events}
        where (seq, event_id) > ${after} order by seq, event_id`,
      (row) => [Number(row['seq']), row['event_id'] as string],
      readEvent,
      [0, ''],
    );
  }

  readUsage(): AsyncIterable<readonly KeyUsage[]> {
    return this.#pages(
      (after) => `select * from ${this.#database.names.usage}
        where (day, key_id) > ${after} order by day, key_id`,
      (row) => [row['day'] as string, row['key_id'] as string],
      readUsage,
    );
  }

  async writeKeys(keys: readonly StoredKey[], options: ArchiveOptions): Promise<ArchiveResult> {
    const { names } = this.#database;
    return this.#write<StoredKey>(options, (connection) => {
      const rows = connection.all(
        `select k.digest, ${recordColumns(names)} from ${names.keys} k
          where k.key_id in (select value from json_each(?))
            or k.digest in (select value from json_each(?))`,
        JSON.stringify(keys.map(({ keyId }) => keyId)),
        JSON.stringify(keys.map(({ digest }) => digest)),
      );
      const sorted = sortKeys(keys, rows.map(readStoredKey));
      return { sorted, add: (key) => void insert(connection, names, key) };
    });
  }

  async writeClaims(
    claims: readonly StoredClaim[],
    options: ArchiveOptions,
  ): Promise<ArchiveResult> {
    const { names } = this.#database;
    return this.#write<StoredClaim>(options, (connection) => {
      const rows = connection.all(
        `select * from ${names.claims} where claim_id in (select value from json_each(?))
          or token_digest in (select value from json_each(?))`,
        JSON.stringify(claims.map(({ claimId }) => claimId)),
        JSON.stringify(claims.map(({ tokenDigest }) => tokenDigest)),
      );
      const sorted = sortClaims(claims, rows.map(readStoredClaim));
      return { sorted, add: (claim) => void insertClaim(connection, names, claim) };
    });
  }

  async writeEvents(events: readonly KeyEvent[], options: ArchiveOptions): Promise<ArchiveResult> {
    const { names } = this.#database;
    return this.#write<KeyEvent>(options, (connection) => {
      const rows = connection.all(
        `select * from ${names.events} where event_id in (select value from json_each(?))`,
        JSON.stringify(events.map(({ eventId }) => eventId)),
      );
      const sorted = sortEvents(events, rows.map(readEvent));
      return { sorted, add: (event) => insertEvent(connection, names, event) };
    });
  }

  async writeUsage(counts: readonly KeyUsage[], options: ArchiveOptions): Promise<ArchiveResult> {
    const { names } = this.#database;
    return this.#write<KeyUsage>(options, (connection) => {
      const rows = connection.all(
        `select u.* from json_each(?) given join ${names.usage} u
          on u.day = given.value ->> '$.day' and u.key_id = given.value ->> '$.keyId'`,
        JSON.stringify(counts),
      );
      const sorted = sortUsage(counts, rows.map(readUsage));
      return { sorted, add: (usage) => addUsage(connection, names, usage) };
    });
  }

  /** Reads page by page, each synchronously. Others may change the table between two pages. */
  async *#pages<Entry>(
    select: (after: string) => string,
    cursorOf: (row: Row) => readonly [SqliteValue, SqliteValue],
    read: (row: Row) => Entry,
    start: readonly [SqliteValue, SqliteValue] = ['', ''],
  ): AsyncGenerator<readonly Entry[]> {
    const sql = `${select('(?, ?)')} limit ${archiveBatch}`;
    for (let cursor = start; ;) {
      const rows = await this.#database.read('copy', (connection) =>
        connection.all(sql, ...cursor),
      );
      const last = rows.at(-1);
      if (!last) return;
      yield rows.map(read);
      cursor = cursorOf(last);
    }
  }

  async #write<Entry>(
    { isDryRun }: ArchiveOptions,
    prepare: (connection: Connection) => {
      sorted: Sorted<Entry>;
      add: (entry: Entry) => void;
    },
  ): Promise<ArchiveResult> {
    const resultOf = ({ missing, skipped, conflicts }: Sorted<Entry>) => ({
      copied: missing.length,
      skipped,
      conflicts,
    });
    if (isDryRun)
      return this.#database.read('copy', (connection) => resultOf(prepare(connection).sorted));
    return this.#database.change('copy', { isSilent: true }, (connection) => {
      const { sorted, add } = prepare(connection);
      for (const entry of sorted.missing) add(entry);
      return resultOf(sorted);
    });
  }
}

const readStoredClaim = (row: Row): StoredClaim => ({
  ...readClaim(row),
  tokenDigest: row['token_digest'] as string,
});

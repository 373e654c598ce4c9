import type { Check } from '../../lib/options.js';

/** A stored value. The tables hold only texts and integers. */
export type SqliteValue = string | number | null;

/** One row, keyed by column name. */
export type Row = Readonly<Record<string, unknown>>;

/** A prepared statement of `node:sqlite`, `better-sqlite3` or `libsql`. */
export interface SqliteStatement {
  /** Runs the statement and returns the first row. */
  get(...values: SqliteValue[]): unknown;
  /** Runs the statement and returns all rows. */
  all(...values: SqliteValue[]): unknown[];
  /** Runs a statement that returns no rows. */
  run(...values: SqliteValue[]): unknown;
}

/** A database object of `node:sqlite` (`DatabaseSync`), `better-sqlite3` or `libsql`. */
export interface SqliteDatabase {
  /** Prepares one statement with `?` parameters. */
  prepare(sql: string): SqliteStatement;
  /** Runs statements that return no rows. */
  exec(sql: string): unknown;
}

export const mustBeSqliteDatabase: Check = (value) =>
  hasMethods(value, 'prepare', 'exec')
    ? undefined
    : 'a database object of node:sqlite (DatabaseSync), better-sqlite3 or libsql';

function hasMethods(value: unknown, ...names: string[]): boolean {
  const found = value as Record<string, unknown> | null | undefined;
  return names.every((name) => typeof found?.[name] === 'function');
}

/** How long a driver may block the process while it waits for a lock, in milliseconds. */
const lockWaitMs = 20;

/** The first version with `strict` tables, `returning` and JSON built in. */
const leastVersion = [3, 38] as const;

/** One connection: runs statements, each prepared once. */
export class Connection {
  readonly #database: SqliteDatabase;
  readonly #statements = new Map<string, SqliteStatement>();

  /** @throws {Error} if the driver is asynchronous or its SQLite is too old */
  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#assertDriver();
    // FULL: a committed change survives a power cut. WAL alone would lose the last transactions.
    this.exec(`pragma busy_timeout = ${lockWaitMs}; pragma synchronous = full`);
  }

  /**
   * All rows of a statement, even if one is wanted. A statement that is not run to its end keeps
   * its snapshot and would not see later changes.
   */
  all(sql: string, ...values: SqliteValue[]): Row[] {
    return this.#prepared(sql).all(...values) as Row[];
  }

  /** Runs a statement that returns no rows. Resolves to how many rows it changed. */
  run(sql: string, ...values: SqliteValue[]): number {
    const result = this.#prepared(sql).run(...values) as { changes?: number | bigint } | undefined;
    return Number(result?.changes ?? 0);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Ends the connection. Does nothing if the driver cannot. */
  close(): void {
    this.#statements.clear();
    (this.#database as { close?: () => void }).close?.();
  }

  #prepared(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }

  #assertDriver(): void {
    const statement = this.#database.prepare('select sqlite_version() as version');
    const rows: unknown = hasMethods(statement, 'all', 'run') ? statement.all() : undefined;
    const version = Array.isArray(rows) ? (rows[0] as Row | undefined)?.['version'] : undefined;
    if (typeof version !== 'string')
      throw new Error(
        '"database" is not a synchronous driver; pass one of node:sqlite, better-sqlite3 or libsql',
      );
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const [leastMajor, leastMinor] = leastVersion;
    if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
      throw new Error(
        `the driver brings SQLite ${version}; ${leastVersion.join('.')} or later is needed: ` +
          'upgrade the driver',
      );
    }
  }
}

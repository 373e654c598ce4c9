import type { Check } from '../../lib/options.js';
import { isBusy } from './sqlite-error.js';

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
  /** Reads that another connection's lock stopped, with their values. */
  readonly #stopped = new Map<SqliteStatement, SqliteValue[]>();
  #isInTransaction = false;

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
    this.#finishStopped();
    const statement = this.#prepared(sql);
    try {
      return statement.all(...values) as Row[];
    } catch (error) {
      // In a transaction it may be a change, which must not run twice.
      if (isBusy(error) && !this.#isInTransaction) this.#stopped.set(statement, values);
      throw error;
    }
  }

  /** Runs a statement that returns no rows. Resolves to how many rows it changed. */
  run(sql: string, ...values: SqliteValue[]): number {
    const result = this.#prepared(sql).run(...values) as { changes?: number | bigint } | undefined;
    return Number(result?.changes ?? 0);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Takes the lock for changes, until `commit` or `rollback`. */
  begin(): void {
    this.#finishStopped();
    // Never prepared: in libSQL, a prepared one that failed keeps the connection on an old
    // snapshot.
    this.exec('begin immediate');
    this.#isInTransaction = true;
  }

  commit(): void {
    this.exec('commit');
    this.#isInTransaction = false;
  }

  rollback(): void {
    this.#isInTransaction = false;
    this.exec('rollback');
  }

  /** Ends the connection. Does nothing if the driver cannot. */
  close(): void {
    this.#statements.clear();
    this.#stopped.clear();
    (this.#database as { close?: () => void }).close?.();
  }

  /**
   * Runs stopped reads to their end. In libSQL they stay begun until then, and keep the connection
   * on the snapshot of the next read. While one is stopped, no other read can be trusted.
   */
  #finishStopped(): void {
    for (const [statement, values] of this.#stopped) {
      try {
        statement.all(...values);
      } catch (error) {
        if (isBusy(error)) throw error;
        // Any other error ends it.
      }
      this.#stopped.delete(statement);
    }
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

import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import type { ConnectionSource } from './database.js';
import { Connection, type SqliteDatabase } from './driver.js';

/** The caller's database object: used, and never closed. */
export class CallersDatabase implements ConnectionSource {
  readonly place = 'the database';
  readonly #database: SqliteDatabase;
  #connection: Connection | undefined;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  connection(): Connection {
    this.#connection ??= new Connection(this.#database);
    return this.#connection;
  }

  hasMoved(): boolean {
    return false;
  }

  reset(): void {
    // The caller's object is all there is.
  }

  close(): void {
    this.#connection = undefined;
  }
}

/** A file that is opened at the first call and, if that failed, at the next. */
export class DatabaseFile implements ConnectionSource {
  readonly place: string;
  readonly #open: (path: string) => SqliteDatabase;
  #connection: Connection | undefined;
  #identity: string | undefined;
  #isClosed = false;

  constructor(path: string, open: (path: string) => SqliteDatabase) {
    this.place = path;
    this.#open = open;
  }

  connection(): Connection {
    if (this.#connection) return this.#connection;
    if (this.#isClosed) throw new Error('the store is closed');
    // Drivers create what is not there: a typo in the path would start an empty file.
    if (!this.exists())
      throw new Error(
        `there is no file ${this.place}; check the path, or run migrate() to create it`,
      );
    const database = this.#open(this.place);
    try {
      this.#connection = new Connection(database);
    } catch (error) {
      (database as { close?: () => void }).close?.();
      throw error;
    }
    this.#identity = identityOf(this.place);
    return this.#connection;
  }

  exists(): boolean {
    return existsSync(this.place);
  }

  /** Creates the file if it is not there, for this user alone. SQLite gives its other files the same mode. */
  create(): void {
    if (!this.exists()) closeSync(openSync(this.place, 'a', 0o600));
  }

  /** Whether another file has taken the place of the one that is open, or none. */
  hasMoved(): boolean {
    return this.#connection !== undefined && identityOf(this.place) !== this.#identity;
  }

  reset(): void {
    try {
      this.#connection?.close();
    } catch {
      // It was broken before.
    }
    this.#connection = undefined;
  }

  close(): void {
    this.#isClosed = true;
    try {
      // So that the file is whole without the one beside it, whatever the driver leaves open.
      this.#connection?.all('pragma wal_checkpoint(truncate)');
    } catch {
      // Another process goes on with it, or it cannot be written.
    }
    this.reset();
  }
}

function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

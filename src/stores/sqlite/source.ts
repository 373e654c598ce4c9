import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ConnectionSource } from './database.js';
import { Connection, type SqliteDatabase } from './driver.js';
import type { OpenDatabase } from './open-driver.js';

/** The caller's database object. It is never closed. */
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

  reset(): void {
    // The store cannot reopen the caller's object.
  }

  close(): void {
    this.#connection = undefined;
  }
}

/** A file that is opened at the first call, or at the next one if that failed. */
export class DatabaseFile implements ConnectionSource {
  readonly place: string;
  readonly #open: OpenDatabase;
  #connection: Connection | undefined;
  #identity: string | undefined;
  #isImmutable = false;
  #isClosed = false;

  constructor(path: string, open: OpenDatabase) {
    this.place = path;
    this.#open = open;
  }

  connection(): Connection {
    if (this.#connection) {
      // A change of a file that was replaced would be lost with it.
      if (identityOf(this.place, this.#isImmutable) === this.#identity) return this.#connection;
      this.reset();
    }
    if (this.#isClosed) throw new Error('the store is closed');
    // Drivers create a missing file, so a typo in the path would start an empty one.
    if (!this.exists())
      throw new Error(
        `there is no file ${this.place}; check the path, or run migrate() to create it`,
      );
    if (statSync(this.place).isDirectory())
      throw new Error(`${this.place} is a folder; name a file in it`);
    try {
      this.#connection = this.#connect(false);
    } catch (error) {
      if (!isSealed(this.place)) throw error;
      this.#connection = this.#connect(true);
    }
    return this.#connection;
  }

  #connect(isImmutable: boolean): Connection {
    this.#isImmutable = isImmutable;
    // Before it is opened: a file that takes its place meanwhile counts as another one.
    this.#identity = identityOf(this.place, isImmutable);
    const database = this.#open(this.place, isImmutable);
    try {
      return new Connection(database);
    } catch (error) {
      (database as { close?: () => void }).close?.();
      throw error;
    }
  }

  exists(): boolean {
    return existsSync(this.place);
  }

  /**
   * Creates the file if it is missing, for this user alone. SQLite gives its other files the same
   * mode.
   */
  create(): void {
    if (!this.exists()) closeSync(openSync(this.place, 'a', 0o600));
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
      // Makes the file complete without the WAL file beside it, even if the driver leaves handles
      // open.
      this.#connection?.all('pragma wal_checkpoint(truncate)');
    } catch {
      // Another process still uses it, or it cannot be written.
    }
    this.reset();
  }
}

/**
 * Whether this user can write neither the file nor its folder, and nobody has it open for
 * writing. SQLite reads such a file only if told that nobody changes it.
 */
function isSealed(path: string): boolean {
  const isWritable = (each: string) => {
    try {
      accessSync(each, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  };
  return !isWritable(path) && !isWritable(dirname(path)) && !existsSync(`${path}-wal`);
}

/** For a file that is assumed not to change, this includes what shows that it did. */
function identityOf(path: string, isImmutable: boolean): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return undefined;
  const identity = `${found.dev}:${found.ino}`;
  if (!isImmutable) return identity;
  return `${identity}:${found.size}:${found.mtimeMs}:${existsSync(`${path}-wal`)}`;
}

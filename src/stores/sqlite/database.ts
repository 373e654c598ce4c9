import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from './driver.js';
import { withContext, type EventContext } from './event-context.js';
import type { Names } from './names.js';
import { isBusy, toSafeError } from './sqlite-error.js';

/** Where connections come from: the caller's database object, or a file. */
export interface ConnectionSource {
  /** What errors call the database. */
  readonly place: string;
  /** The connection, opened if there is none. Throws if it cannot be. */
  connection(): Connection;
  /** Whether the connection is to a file that is no longer there under its path. */
  hasMoved(): boolean;
  /** Gives a broken connection up: the next one is opened anew, if it is the store's own. */
  reset(): void;
  /** Ends the connection for good, if it is the store's own. */
  close(): void;
}

/**
 * Between two attempts at a lock, in milliseconds: others get their turn, and requests are served.
 */
const leastPauseMs = 2;
const longestPauseMs = 20;

/** Runs what the store does on one connection: each piece whole, changes one after the other. */
export class Database {
  readonly names: Names;
  readonly #source: ConnectionSource;
  readonly #busyTimeoutMs: number;
  readonly #onChange = new Set<() => void>();
  #previousTurn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(source: ConnectionSource, names: Names, busyTimeoutMs: number) {
    this.#source = source;
    this.names = names;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  get place(): string {
    return this.#source.place;
  }

  /** The connection, for what runs at once and handles its own errors. */
  get connection(): Connection {
    return this.#source.connection();
  }

  /** The same, of the file that has the path now: one that was replaced is opened anew. */
  watchedConnection(): Connection {
    if (this.#source.hasMoved()) {
      this.#source.reset();
      throw new Error('the file was replaced');
    }
    return this.connection;
  }

  /** Reads. Needs no lock under WAL, except while another connection recovers the file. */
  async read<Result>(action: string, work: (connection: Connection) => Result): Promise<Result> {
    this.#assertOpen(action);
    return this.#attempt(action, () => work(this.connection), this.#busyTimeoutMs);
  }

  /**
   * Changes, in one transaction: all of it or nothing. `work` runs at once and never waits, so no
   * other call comes between on the same connection. With `isPatient` false, a lock is tried once.
   */
  async change<Result>(
    action: string,
    events: EventContext,
    work: (connection: Connection) => Result,
    isPatient = true,
  ): Promise<Result> {
    return this.transact(
      action,
      (connection) => withContext(connection, this.names, events, work),
      isPatient,
    );
  }

  /** The same without telling the triggers who it is. */
  async transact<Result>(
    action: string,
    work: (connection: Connection) => Result,
    isPatient = true,
  ): Promise<Result> {
    this.#assertOpen(action);
    // Counted from the call on: of many that wait for one lock, the last waits no longer than the
    // first.
    const deadline = performance.now() + (isPatient ? this.#busyTimeoutMs : 0);
    const turn = this.#previousTurn.then(() =>
      this.#attempt(action, () => this.#transaction(work), deadline - performance.now()),
    );
    this.#previousTurn = turn.catch(() => {});
    const result = await turn;
    for (const listener of this.#onChange) listener();
    return result;
  }

  /**
   * Calls `listener` after each transaction of this store, until the returned function is called.
   */
  onChange(listener: () => void): () => void {
    this.#onChange.add(listener);
    return () => void this.#onChange.delete(listener);
  }

  /** Lets changes under way end, and closes the connection if it is the store's own. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#previousTurn;
    this.#source.close();
  }

  #assertOpen(action: string): void {
    if (this.#isClosed) throw toSafeError(action, this.place, new Error('the store is closed'));
  }

  /**
   * Tries again while another connection holds the lock: each attempt blocks the process shortly.
   */
  async #attempt<Result>(action: string, work: () => Result, limitMs: number): Promise<Result> {
    const deadline = performance.now() + limitMs;
    for (let pauseMs = leastPauseMs; ; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline)
          throw toSafeError(action, this.place, error);
      }
      // Jitter: processes that wait for the same lock must not ask in step.
      await delay(pauseMs * (0.5 + Math.random()));
    }
  }

  #transaction<Result>(work: (connection: Connection) => Result): Result {
    const { connection } = this;
    // Never prepared: in libSQL a prepared one that failed keeps the connection on an old snapshot.
    connection.exec('begin immediate');
    try {
      const result = work(connection);
      connection.exec('commit');
      return result;
    } catch (error) {
      try {
        connection.exec('rollback');
      } catch {
        // SQLite may have rolled back by itself. If not, the connection is of no use any more.
        this.#source.reset();
      }
      throw error;
    }
  }
}

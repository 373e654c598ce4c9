import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from './driver.js';
import { withContext, type EventContext } from './event-context.js';
import type { Names } from './names.js';
import { isBusy, toSafeError } from './sqlite-error.js';

/** The source of connections: the caller's database object, or a file. */
export interface ConnectionSource {
  /** The name of the database in errors. */
  readonly place: string;
  /**
   * The connection, opened if there is none, or if its file was replaced. Throws if that fails.
   */
  connection(): Connection;
  /** Discards a broken connection. The next one is opened anew if the store owns it. */
  reset(): void;
  /** Ends the connection for good if the store owns it. */
  close(): void;
}

/**
 * The pause between two attempts at a lock, in milliseconds. Others get their turn, and requests
 * are served.
 */
const leastPauseMs = 2;
const longestPauseMs = 20;

/** Runs work on one connection: each piece whole, changes one after the other. */
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

  /** The connection, for synchronous work that handles its own errors. */
  get connection(): Connection {
    return this.#source.connection();
  }

  /** Reads. Under WAL this needs no lock, except while another connection recovers the file. */
  async read<Result>(action: string, work: (connection: Connection) => Result): Promise<Result> {
    this.#assertOpen(action);
    return this.#attempt(action, () => work(this.connection), this.#busyTimeoutMs);
  }

  /**
   * Makes a change in one transaction, all or nothing. `work` is synchronous, so no other call
   * comes between on the same connection. With `isPatient` false, the lock is tried once.
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

  /** The same, without the context for the triggers. */
  async transact<Result>(
    action: string,
    work: (connection: Connection) => Result,
    isPatient = true,
  ): Promise<Result> {
    this.#assertOpen(action);
    // Counted from the call: of many that wait for one lock, the last waits no longer than the
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

  /** Finishes changes under way, and closes the connection if the store owns it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#previousTurn;
    this.#source.close();
  }

  #assertOpen(action: string): void {
    if (this.#isClosed) throw toSafeError(action, this.place, new Error('the store is closed'));
  }

  /** Repeats while another connection holds the lock. Each attempt blocks the process briefly. */
  async #attempt<Result>(action: string, work: () => Result, limitMs: number): Promise<Result> {
    const deadline = performance.now() + limitMs;
    for (let pauseMs = leastPauseMs; ; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline)
          throw toSafeError(action, this.place, error);
      }
      // Jitter, so that processes waiting for the same lock do not retry in step.
      await delay(pauseMs * (0.5 + Math.random()));
    }
  }

  #transaction<Result>(work: (connection: Connection) => Result): Result {
    const { connection } = this;
    connection.begin();
    try {
      const result = work(connection);
      connection.commit();
      return result;
    } catch (error) {
      try {
        connection.rollback();
      } catch {
        // SQLite may have rolled back by itself. If not, the connection is unusable.
        this.#source.reset();
      }
      throw error;
    }
  }
}

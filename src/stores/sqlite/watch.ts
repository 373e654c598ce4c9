import { warnOnce } from '../../lib/warn.js';
import type { KeyStoreWatcher } from '../key-store.js';
import type { Database } from './database.js';
import type { Connection } from './driver.js';
import { hasTriggers } from './schema/inspect.js';
import { wantedAnnouncements } from './schema/triggers.js';

/**
 * How long nothing was asked before the watch rests, in milliseconds. A look takes microseconds,
 * but each wakes a processor that rests.
 */
const restAfterMs = 4_000;

/** What was read last: the number of the last change, and that of the last change of the schema. */
interface Position {
  /** Another connection may be one to another file, whose numbers mean nothing here. */
  readonly connection: Connection;
  readonly seq: number;
  readonly schema: number;
}

/**
 * Tells the watcher of changes until closed. It polls a table to which triggers add the id of
 * each changed key. Writers are serialized, so no number is committed after a higher one.
 */
export class Watch {
  /** After a longer pause, the process asks the file before it trusts what it knows. */
  readonly aliveForMs: number;
  readonly #database: Database;
  readonly #watcher: KeyStoreWatcher;
  readonly #pollMs: number;
  readonly #unsubscribe: () => void;
  #position: Position | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(database: Database, pollMs: number, watcher: KeyStoreWatcher) {
    this.aliveForMs = 2 * pollMs + 100;
    this.#database = database;
    this.#watcher = watcher;
    this.#pollMs = pollMs;
    // Changes made by this process are announced at once.
    this.#unsubscribe = database.onChange(() => this.#poll());
    this.#timer = setTimeout(() => this.#pollUnlessIdle(), 0);
  }

  /** Looks before it returns, and ends a rest. */
  async check(): Promise<void> {
    this.#poll();
    if (!this.#timer) this.#pollLater();
    if (!this.#position) throw new Error('changes may be missed');
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#unsubscribe();
    this.#lose();
  }

  #pollLater(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.#pollUnlessIdle(), this.#pollMs).unref();
  }

  #pollUnlessIdle(): void {
    this.#timer = undefined;
    if (this.#watcher.resting && (this.#watcher.idleMs?.() ?? 0) >= restAfterMs) {
      this.#watcher.resting(true);
      return;
    }
    this.#poll();
    this.#pollLater();
  }

  #poll(): void {
    if (this.#isClosed) return;
    try {
      this.#read(this.#database.connection);
    } catch {
      // Look-ups report the error. Here it only means that changes may be missed.
      this.#lose();
    }
  }

  #read(connection: Connection): void {
    const before = this.#position;
    const now = this.#positionNow(connection);
    if (before?.connection !== connection || before.schema !== now.schema) {
      // A trigger that exists now may have been gone for a moment, and changes meanwhile were not
      // recorded.
      this.#lose();
      if (!this.#isArmed(connection)) return;
      this.#position = now;
      this.#watcher.connected();
      return;
    }
    if (now.seq !== before.seq) {
      for (const keyId of this.#changedSince(connection, before.seq, now.seq))
        this.#watcher.changed(keyId);
      this.#position = now;
    }
    this.#watcher.alive();
  }

  #positionNow(connection: Connection): Position {
    const [last] = connection.all(`select max(seq) as seq from ${this.#database.names.changes}`);
    const [schema] = connection.all('pragma schema_version');
    const seq = Number(last?.['seq'] ?? 0);
    return { connection, seq, schema: Number(schema?.['schema_version']) };
  }

  /** The ids of changed keys. An empty one if some were missed. */
  #changedSince(connection: Connection, seq: number, until: number): Iterable<string> {
    const rows = connection.all(
      `select key_id from ${this.#database.names.changes} where seq > ? and seq <= ?`,
      seq,
      until,
    );
    if (rows.length !== until - seq) return [''];
    return new Set(rows.map((row) => row['key_id'] as string));
  }

  #isArmed(connection: Connection): boolean {
    const { names, place } = this.#database;
    if (hasTriggers(connection, wantedAnnouncements(names))) return true;
    warnOnce(
      `SqliteKeyStore: changes to ${names.table} in ${place} may go unnoticed: its triggers are ` +
        "missing or not this version's. Until that is fixed, cached keys are trusted for " +
        '"cacheTtlMs" only. Run migrate().',
      `silent table ${names.table} ${place}`,
    );
    return false;
  }

  #lose(): void {
    if (!this.#position) return;
    this.#position = undefined;
    this.#watcher.disconnected();
  }
}

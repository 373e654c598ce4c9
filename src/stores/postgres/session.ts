import type { Database, Row, Statement } from './database.js';
import type { Names } from './names.js';
import { isUntranslatable } from './safe-error.js';

/** Where a statement is sent, how tables are named, and how long it may take. */
export class Session {
  readonly database: Database;
  readonly names: Names;
  /** In milliseconds, including the wait for a connection. 0 means no limit. */
  readonly limitMs: number;

  constructor(database: Database, names: Names, limitMs: number) {
    this.database = database;
    this.names = names;
    this.limitMs = limitMs;
  }

  /** The rows of one statement. Rejects with errors that name the action and hold no digest. */
  async query(action: string, statement: Statement): Promise<Row[]> {
    return this.database.query(action, statement, this.limitMs);
  }

  /**
   * The rows that a search finds. If a statement has a text that the database's encoding cannot
   * hold, the next one is tried. No row has such a text, so the last one finds nothing.
   */
  async search(action: string, ...statements: readonly Statement[]): Promise<Row[]> {
    for (const statement of statements) {
      try {
        return await this.query(action, statement);
      } catch (error) {
        if (!isUntranslatable(error)) throw error;
      }
    }
    return [];
  }
}

/** One executor for each kind of time limit. */
export interface Sessions {
  /** For look-ups that a request waits for. */
  readonly lookUp: Session;
  /** For changes and lists. */
  readonly change: Session;
  readonly prune: Session;
  /** For `migrate` and `adopt`, which have no limit. */
  readonly unlimited: Session;
}

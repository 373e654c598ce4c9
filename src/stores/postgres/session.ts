import type { Database, Row, Statement } from './database.js';
import type { Names } from './names.js';
import { isUntranslatable } from './safe-error.js';

/** What a statement runs with: where it is sent, what the tables are called, and how long it may take. */
export class Session {
  readonly database: Database;
  readonly names: Names;
  /** In milliseconds, waiting for a connection included; 0 for as long as it takes. */
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
   * The rows that a search finds. A text that the database's encoding cannot hold is in no row: such a statement gives way to
   * the next, and the last one finds nothing.
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

/** One for each kind of time limit. */
export interface Sessions {
  /** For what a request waits for. */
  readonly lookUp: Session;
  /** For changes and lists. */
  readonly change: Session;
  readonly prune: Session;
  /** For what takes as long as it needs: `migrate` and `adopt`. */
  readonly unlimited: Session;
}

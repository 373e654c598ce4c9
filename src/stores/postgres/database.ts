import { hearWarnings, isPgClient, isPgPool, type PgPool, type PostgresClient } from './client.js';
import type { Names } from './names.js';
import { codeOf, isStatementError, isUntranslatable, toSafeError } from './safe-error.js';
import { NoAnswerError, within } from '../../lib/within.js';

export type Row = Readonly<Record<string, string | null>>;

/**
 * One statement. Parameters and results are texts, so the type parsers of a client cannot
 * interfere.
 *
 * Every function is qualified. The operands of every operator, `in` and `using` have exactly the
 * types of one in `pg_catalog`, or the operator is qualified too. Otherwise, a role that may create
 * objects in a schema of the search path could add a function or operator that fits better. It
 * would run with the rights of the connected role.
 */
export interface Statement {
  readonly text: string;
  readonly values?: readonly (string | null)[];
}

/** How often a statement is sent at most, including the first time. */
const maxAttempts = 4;
/**
 * serialization_failure, deadlock_detected and program_limit_exceeded. The last one fails a
 * commit if the queue of notifications is full. The statement had no effect and may be sent
 * again. The trigger then sees the full queue and changes the key without an announcement.
 */
const retryable = new Set(['40001', '40P01', '54000']);

/**
 * Sends statements, each with a time limit of its own. A frozen server must not hold requests
 * forever.
 */
export class Database {
  readonly client: PostgresClient;
  #previousTurn: Promise<unknown> = Promise.resolve();

  constructor(client: PostgresClient) {
    this.client = client;
  }

  /**
   * The rows of one statement. `limitMs` 0 means no limit. Rejects with errors that hold no
   * digest.
   */
  async query(action: string, statement: Statement, limitMs: number): Promise<Row[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#send(statement, limitMs)) as Row[];
      } catch (error) {
        if (attempt < maxAttempts && retryable.has(codeOf(error) ?? '')) continue;
        throw toSafeError(action, error);
      }
    }
  }

  async #send({ text, values = [] }: Statement, limitMs: number): Promise<unknown[]> {
    const { client } = this;
    if (isPgPool(client)) return sendThroughPool(client, text, [...values], limitMs);
    if (isPgClient(client)) return this.#sendInTurn(text, [...values], limitMs);
    return (await within(limitMs, client.query(text, [...values]))).rows;
  }

  /**
   * A `pg` Client runs one statement at a time. A statement whose limit passed while it waited is
   * never sent.
   */
  async #sendInTurn(
    text: string,
    values: string[] | unknown[],
    limitMs: number,
  ): Promise<unknown[]> {
    let isAbandoned = false;
    const turn = this.#previousTurn.then(async () => {
      if (isAbandoned) throw new NoAnswerError(limitMs);
      return this.client.query(text, values);
    });
    this.#previousTurn = turn.catch(() => {});
    try {
      return (await within(limitMs, turn)).rows;
    } finally {
      isAbandoned = true;
    }
  }
}

/**
 * Checks a connection out instead of calling `pool.query`. That would keep an unresponsive
 * connection in the pool, where the next request hangs. It would also close a good connection
 * when a statement fails.
 */
async function sendThroughPool(
  pool: PgPool,
  text: string,
  values: unknown[],
  limitMs: number,
): Promise<unknown[]> {
  const startedAt = performance.now();
  const checkout = pool.connect();
  const connection = await within(limitMs, checkout).catch((error: unknown) => {
    // A connection that comes too late goes back unused.
    checkout.then(
      (late) => late.release(),
      () => {},
    );
    throw error;
  });
  const ignore = () => {};
  // Nobody else listens during the checkout, and an unhandled `error` event would end the process.
  connection.on('error', ignore);
  hearWarnings(connection);
  let unfit: Error | undefined;
  try {
    const leftMs = limitMs === 0 ? 0 : Math.max(1, limitMs - (performance.now() - startedAt));
    return (await within(leftMs, connection.query(text, values))).rows;
  } catch (error) {
    if (!isStatementError(error))
      unfit = error instanceof Error ? error : new Error('unknown error');
    throw error;
  } finally {
    // With an error, the pool closes the connection and opens another if it needs one.
    connection.release(unfit);
    if (!unfit) connection.off('error', ignore);
  }
}

/** Where a statement is sent, how tables are named, and how long it may take. */
export class Executor {
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
export interface Executors {
  /** For look-ups that a request waits for. */
  readonly lookUp: Executor;
  /** For changes and lists. */
  readonly change: Executor;
  readonly prune: Executor;
  /** For `migrate` and `adopt`, which have no limit. */
  readonly unlimited: Executor;
}

import { hearWarnings, isPgClient, isPgPool, type PgPool, type PostgresClient } from './client.js';
import { codeOf, isStatementError, toSafeError } from './safe-error.js';
import { NoAnswerError, within } from '../../lib/within.js';

export type Row = Readonly<Record<string, string | null>>;

/**
 * One statement. Parameters are texts and results are too: no client's own idea of types comes between.
 *
 * Whoever may create in a schema of the search path can add a function or an operator there that fits the operands better than those of
 * `pg_catalog`, and it runs with the rights of the role that is connected. So every function is qualified, and the operands of every
 * operator, `in` and `using` have exactly the types of one in `pg_catalog`, or it is qualified too.
 */
export interface Statement {
  readonly text: string;
  readonly values?: readonly (string | null)[];
}

/** How often a statement is sent at most, the first time included. */
const maxAttempts = 4;
/**
 * serialization_failure, deadlock_detected, and program_limit_exceeded, with which a commit fails that the queue of notifications has no
 * room for: the statement had no effect and may be sent again. The next time the trigger sees that the queue is full, and changes the
 * key without an announcement.
 */
const retryable = new Set(['40001', '40P01', '54000']);

/** Sends statements, each with a time limit of its own: a server that is frozen must not hold requests for ever. */
export class Database {
  readonly client: PostgresClient;
  #previousTurn: Promise<unknown> = Promise.resolve();

  constructor(client: PostgresClient) {
    this.client = client;
  }

  /** The rows of one statement, within `limitMs` (0: however long it takes). Rejects with errors that hold no digest. */
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

  /** A `pg` Client runs one statement at a time; those that ran out of time while they waited are never sent. */
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
 * Checks a connection out instead of calling `pool.query`, because that leaves an unresponsive connection in the pool, where the next
 * request hangs, and closes a good one when a statement fails.
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
  // While it is checked out nobody else listens, and an unheard `error` event would end the process.
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
    // With an error the pool closes the connection and opens another when it needs one.
    connection.release(unfit);
    if (!unfit) connection.off('error', ignore);
  }
}

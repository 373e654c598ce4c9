import type { Check } from '../../lib/options.js';
import { warnOnce } from '../../lib/warn.js';
import { unannounced } from './schema/announcements.js';

/**
 * A `pg` Pool, a connected `pg` Client, PGlite, or anything else that runs one statement with
 * `$1`-style parameters.
 */
export interface PostgresClient {
  /**
   * Runs one statement. Its parameters are texts or `null`. Resolves to its rows, each an object
   * keyed by column name. Rejects if the statement fails, with the SQLSTATE as `code`.
   */
  query(
    text: string,
    values?: unknown[],
  ): Promise<{
    /** The rows of the answer. Empty if the statement returns none. */
    rows: unknown[];
  }>;
}

type Listener = (...args: never[]) => void;

interface Emitter {
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

/**
 * The part of a `pg` Client that is used. It is recognized by its shape, so the library works
 * without `pg`.
 */
export interface PgClient extends PostgresClient, Emitter {
  connect(): Promise<unknown>;
  end(): Promise<void>;
  unref?(): void;
  /** The server's process, as it was named when the client connected. */
  readonly processID?: number | null;
  readonly connection?: { readonly stream?: { destroy?(): void } };
}

export interface PgPoolClient extends PgClient {
  release(error?: Error | boolean): void;
}

export interface PgPool extends PostgresClient, Emitter {
  connect(): Promise<PgPoolClient>;
  readonly totalCount: number;
  readonly options?: object;
  readonly Client?: new (options: object) => PgClient;
}

export interface Pglite extends PostgresClient {
  listen(channel: string, listener: (payload: string) => void): Promise<() => Promise<void>>;
}

export const mustBePostgresClient: Check = (value) =>
  has(value, 'query') ? undefined : 'a pg Pool, a pg Client or another object with a query method';

export const isPgPool = (client: PostgresClient): client is PgPool =>
  has(client, 'connect') && has(client, 'on') && 'totalCount' in client;

export const isPgClient = (client: PostgresClient): client is PgClient =>
  has(client, 'connect') && has(client, 'end') && has(client, 'on') && !isPgPool(client);

export const isPglite = (client: PostgresClient): client is Pglite =>
  has(client, 'listen') && !has(client, 'connect');

function has(value: unknown, method: string): boolean {
  return typeof (value as Record<string, unknown> | null | undefined)?.[method] === 'function';
}

const guarded = new WeakSet<object>();

/**
 * Adds an error listener to the client, once. Without it, a restart of the server ends the
 * process with an unhandled `error` event of an idle connection. The next statement still fails.
 */
export function ignoreIdleErrors(client: PostgresClient): void {
  if (guarded.has(client) || !(isPgPool(client) || isPgClient(client))) return;
  guarded.add(client);
  client.on('error', () => {});
  if (isPgClient(client)) hearWarnings(client);
}

const heard = new WeakSet<object>();

/**
 * Reports a trigger's warning that a change could not be announced. Listens once on each
 * connection.
 */
export function hearWarnings(client: PgClient): void {
  if (heard.has(client)) return;
  heard.add(client);
  client.on('notice', ({ code }: { code?: string }) => {
    if (code !== unannounced) return;
    warnOnce(
      "PostgresKeyStore: the server's queue of notifications is full, so a change was made " +
        'without its announcement. Other processes see it within "cacheTtlMs". Somebody listens ' +
        'and sits in a transaction: "npx require-api-key doctor" says who.',
    );
  });
}

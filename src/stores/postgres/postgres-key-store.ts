import { assertArgument, checkOptions, mustBeInteger } from '../../lib/options.js';
import type { ClaimStore } from '../claim-store.js';
import type {
  KeyChanges,
  KeyQuery,
  KeyRecord,
  KeyStore,
  KeyUse,
  Overlap,
  StoredKey,
  Successor,
} from '../key-store.js';
import { adopt, type AdoptOptions, type AdoptSummary } from './adopt/adopt.js';
import { PostgresClaimStore } from './claims/postgres-claim-store.js';
import { ignoreIdleErrors, mustBePostgresClient, type PostgresClient } from './client.js';
import { Database } from './database.js';
import { inspect, type Inspection } from './inspect.js';
import { migrate } from './migrate.js';
import { createNames, mustBeSchemaName, mustBeTableName, type Names } from './names.js';
import { findByDigest } from './statements/find-by-digest.js';
import { get } from './statements/get.js';
import { insert } from './statements/insert.js';
import { list } from './statements/list.js';
import { prune } from './statements/prune.js';
import { revoke } from './statements/revoke.js';
import { rotate } from './statements/rotate.js';
import { touch } from './statements/touch.js';
import { update } from './statements/update.js';
import { linkThrough, Watch } from './watch/watch.js';

/** Which table the store uses, through which connection, and how long it waits for answers. */
export interface PostgresKeyStoreOptions {
  /**
   * A `pg` Pool, a connected `pg` Client, PGlite, or anything else with `query(text, values)` that resolves to `{ rows }`. Needed. It
   * stays the caller's: it is never closed. A pool or client is given an `error` listener, without which an idle connection that
   * breaks would end the process.
   */
  client: PostgresClient;
  /** The schema of the table, 1 to 63 bytes, taken as it is written, case included. Default `public`. */
  schema?: string | undefined;
  /**
   * The table of keys, 1 to 43 bytes, taken as it is written, case included. Claim links are in `<table>_claims`, what was migrated in
   * `<table>_migrations`. Default `api_keys`.
   */
  table?: string | undefined;
  /**
   * How long the look-up of a key may take, waiting for a connection included: in milliseconds, an integer from 1 to 60 000. A change
   * or a list may take five times as long, `prune` a minute, `migrate` and `adopt` as long as they need. Default 2 000.
   */
  queryTimeoutMs?: number | undefined;
  /**
   * How often the connection that listens for changes is tried, and with it whether the triggers that announce them are enabled, so
   * that one which has fallen silent is given up and made anew: in milliseconds, an integer from 10 to 600 000. Default 5 000.
   */
  heartbeatMs?: number | undefined;
}

/**
 * Keeps the records of an `ApiKeyManager` in PostgreSQL 13 or later, with digests in place of keys:
 * `new ApiKeyManager({ store: new PostgresKeyStore({ client: pool }) })`.
 *
 * `migrate`, `adopt` and `inspect` are for you; the other methods are those of `KeyStore`, which the manager calls. Only `migrate` and
 * `adopt` create or change tables. An application that only verifies keys needs no more than `select` and `update (last_used_at)` on
 * the table of keys.
 *
 * Every change, also one made by hand, is announced to whoever listens on the channel `require_api_key:<schema>.<table>`, or where that
 * is over 63 bytes `require_api_key:` and the first 32 hexadecimal digits of the SHA-256 of `<schema>.<table>`. The payload is the
 * key id, or empty where everything may have changed.
 *
 * A statement that fails, or is not answered in time, rejects with an `Error` whose message and `cause` hold no digest; a change
 * that was not answered in time may have been made.
 */
export class PostgresKeyStore implements KeyStore {
  /**
   * Announces changes made by anyone, until it is closed: on a connection of its own beside a pool, or on the one
   * client that was given. It connects in the background, and again whenever the connection is lost. Absent where the
   * client cannot listen: neither a `pg` Pool or Client nor PGlite. Called by the manager.
   */
  readonly watch?: NonNullable<KeyStore['watch']>;
  /** Keeps claim links, in the table `<table>_claims`. */
  readonly claims: ClaimStore;
  readonly #database: Database;
  readonly #names: Names;
  readonly #lookUpMs: number;
  readonly #changeMs: number;

  /**
   * Makes a store; the database is not asked before it is needed.
   *
   * @throws {TypeError} for an unknown or wrong option, a missing `client` above all.
   */
  constructor(options: PostgresKeyStoreOptions) {
    const checked = checkOptions<PostgresKeyStoreOptions>('PostgresKeyStore', options, {
      client: mustBePostgresClient,
      schema: mustBeSchemaName,
      table: mustBeTableName,
      queryTimeoutMs: mustBeInteger(1, 60_000),
      heartbeatMs: mustBeInteger(10, 600_000),
    });
    const {
      client,
      schema = 'public',
      table = 'api_keys',
      queryTimeoutMs = 2_000,
      heartbeatMs = 5_000,
    } = checked;
    assertArgument('PostgresKeyStore', '"client"', client, mustBePostgresClient);
    ignoreIdleErrors(client);
    this.#database = new Database(client);
    this.#names = createNames(schema, table);
    this.#lookUpMs = queryTimeoutMs;
    this.#changeMs = 5 * queryTimeoutMs;
    this.claims = new PostgresClaimStore({
      database: this.#database,
      names: this.#names,
      lookUpMs: this.#lookUpMs,
      changeMs: this.#changeMs,
    });

    const createLink = linkThrough(this.#database, queryTimeoutMs);
    if (createLink) {
      const watchOptions = {
        database: this.#database,
        names: this.#names,
        heartbeatMs,
        limitMs: queryTimeoutMs,
      };
      this.watch = (watcher) => new Watch(watchOptions, createLink, watcher);
    }
  }

  async findByDigest(digest: string): Promise<StoredKey | undefined> {
    return findByDigest(this.#database, this.#names, digest, this.#lookUpMs);
  }

  async get(keyId: string): Promise<KeyRecord | undefined> {
    return get(this.#database, this.#names, keyId, this.#lookUpMs);
  }

  async list(query: KeyQuery): Promise<KeyRecord[]> {
    return list(this.#database, this.#names, query, this.#changeMs);
  }

  async insert(key: StoredKey): Promise<KeyRecord> {
    return insert(this.#database, this.#names, key, this.#changeMs);
  }

  async update(keyId: string, changes: KeyChanges): Promise<KeyRecord> {
    return update(this.#database, this.#names, keyId, changes, this.#changeMs);
  }

  async rotate(
    keyId: string,
    successor: Successor,
    overlap: Overlap,
  ): Promise<{
    /** The successor. */
    record: KeyRecord;
    /** The old key as it is now. */
    previous: KeyRecord;
  }> {
    return rotate(this.#database, this.#names, keyId, successor, overlap, this.#changeMs);
  }

  async revoke(keyId: string, revokedAt: Date, options: { family: boolean }): Promise<KeyRecord[]> {
    return revoke(this.#database, this.#names, keyId, revokedAt, options, this.#changeMs);
  }

  async touch(uses: readonly KeyUse[]): Promise<void> {
    return touch(this.#database, this.#names, uses, this.#changeMs);
  }

  async prune(before: Date): Promise<number> {
    return prune(this.#database, this.#names, before, 60_000);
  }

  /**
   * Creates the tables, and the schema where there is none, or upgrades them, and brings back triggers that were disabled or dropped;
   * each step whole or not at all. Any number of processes may run it at once; when all is up to date it changes nothing. Run it before
   * the application starts, as a role that may create tables.
   *
   * @throws {Error} where the tables were made by a newer version, hold plaintext keys, or are not this library's.
   */
  async migrate(): Promise<void> {
    await migrate(this.#database, this.#names);
  }

  /** Says what is in the database now, for reports and checks before a start. Needs `select` on `<table>_migrations`. */
  async inspect(): Promise<Inspection> {
    return inspect(this.#database, this.#names, this.#lookUpMs);
  }

  /**
   * Upgrades a table of plaintext keys, `api_keys (id, user_name, api_key, created_at, last_used, is_active)`, in place: each key is
   * replaced by its digest inside the database, and whoever held a working key still gets in. Keys that are not of this library's
   * form need a manager with `legacyKeys`.
   *
   * The application that wrote the table may go on until the last step; from then on it cannot read it any more. What a run that was
   * broken off has done is kept, the next one finishes. On a table that is up to date nothing is changed.
   *
   * @throws {TypeError} for an unknown or wrong option.
   * @throws {Error} where there is no such table, or a column of it cannot be taken over; nothing is lost then.
   */
  async adopt(options?: AdoptOptions): Promise<AdoptSummary> {
    return adopt(this.#database, this.#names, options);
  }
}

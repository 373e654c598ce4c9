import { assertArgument, checkOptions, mustBeBoolean, mustBeInteger } from '../../lib/options.js';
import type { ClaimStore } from '../claim-store.js';
import type { KeyRecord, StoredKey } from '../key-record.js';
import type { EventStore } from '../key-event.js';
import type {
  WriteOptions,
  KeyUpdate,
  KeyNotice,
  KeyPause,
  KeyQuery,
  KeyStore,
  KeyUse,
  NoticeQuery,
  Overlap,
  RevokedAll,
  Successor,
} from '../key-store.js';
import type { UsageStore } from '../key-usage.js';
import type { StoreArchive } from '../store-archive.js';
import { adopt, type AdoptOptions, type AdoptSummary } from './adopt/adopt.js';
import { PostgresArchive } from './postgres-archive.js';
import { PostgresClaimStore } from './postgres-claim-store.js';
import { PostgresEventStore } from './postgres-event-store.js';
import { PostgresUsageStore } from './postgres-usage-store.js';
import { ignoreIdleErrors, mustBePostgresClient, type PostgresClient } from './client.js';
import { diagnose, type SetUp } from './diagnose.js';
import { inspect, type Inspection } from './schema/inspect.js';
import { migrate } from './schema/migrate.js';
import { createNames, mustBeSchemaName, mustBeTableName } from './names.js';
import { Database, Executor, type Executors } from './database.js';
import { get } from './keys/get.js';
import { findByDigests } from './keys/find-by-digests.js';
import { insert } from './keys/insert.js';
import { list } from './keys/list.js';
import { LookUpQueue } from './keys/look-up-queue.js';
import { prune } from './keys/prune.js';
import { takeNotices } from './keys/notices.js';
import { pause, resume } from './keys/pause.js';
import { revoke, revokeUser } from './keys/revoke.js';
import { rotate } from './keys/rotate.js';
import { touch } from './keys/touch.js';
import { update } from './keys/update.js';
import { listenerThrough, Watch } from './watch/watch.js';

/** How long `prune` may take, in milliseconds. It reads all records. */
const pruneMs = 60_000;

/** Which table the store uses, through which connection, and how long it waits for answers. */
export interface PostgresKeyStoreOptions {
  /**
   * A `pg` Pool, a connected `pg` Client, PGlite, or anything else with `query(text, values)`
   * that resolves to `{ rows }`. Required. The caller owns it: the store never closes it. The
   * store adds an `error` listener to a pool or client. Without one, an idle connection that
   * breaks would end the process.
   */
  client: PostgresClient;
  /**
   * The schema of the table, 1 to 63 bytes, used exactly as written, including case. Default
   * `public`.
   */
  schema?: string | undefined;
  /**
   * The table of keys, 1 to 43 bytes, used exactly as written, including case. Other tables have
   * its name with an ending, such as `<table>_claims` and `<table>_migrations`. Default
   * `api_keys`.
   */
  table?: string | undefined;
  /**
   * How long the look-up of a key may take, including the wait for a connection: in milliseconds,
   * an integer from 1 to 60 000. A change or a list may take five times as long, `prune` a
   * minute. `migrate` and `adopt` have no limit. Default 2 000.
   */
  queryTimeoutMs?: number | undefined;
  /**
   * How often the listening connection and the triggers are checked, in milliseconds: an integer
   * from 10 to 600 000. A silent connection is replaced. Default 5 000.
   */
  heartbeatMs?: number | undefined;
  /**
   * Whether the store listens for changes. With `false` there is no listening connection and no
   * heartbeat, so an idle application leaves the database alone. A change made elsewhere is then
   * seen within the manager's `cacheTtlMs`. Default `true`.
   */
  watch?: boolean | undefined;
}

/**
 * Keeps the records of an `ApiKeyManager` in PostgreSQL 13 or later, with digests in place of
 * keys: `new ApiKeyManager({ store: new PostgresKeyStore({ client: pool }) })`.
 *
 * Call `migrate`, `adopt` and `inspect` yourself. The manager calls the other methods, which are
 * those of `KeyStore`. Only `migrate` and `adopt` create or change tables. An application that
 * only verifies keys needs `select` and `update (last_used_at)` on the table of keys, and no
 * more.
 *
 * Every change is announced on the channel `require_api_key:<schema>.<table>`, even one made by
 * hand. If that name is over 63 bytes, the channel is `require_api_key:` and the first 32
 * hexadecimal digits of the SHA-256 of `<schema>.<table>`. The payload is the key id, or empty if
 * everything may have changed.
 *
 * A statement that fails or times out rejects with an `Error` whose message and `cause` hold no
 * digest. A change that timed out may have been made.
 */
export class PostgresKeyStore implements KeyStore {
  /**
   * Announces changes made by anyone, until closed. Called by the manager. It listens on a
   * connection of its own beside a pool, or on the one client that was given. It connects in the
   * background, and again after each loss. Absent if the client cannot listen: neither a `pg`
   * Pool or Client nor PGlite.
   */
  readonly watch?: NonNullable<KeyStore['watch']>;
  /** Keeps claim links, in the table `<table>_claims`. */
  readonly claims: ClaimStore;
  /**
   * Keeps events, in the table `<table>_events`. Triggers write them for every change, also one
   * made by hand.
   */
  readonly events: EventStore;
  /** Keeps uses per day, in the table `<table>_usage`. */
  readonly usage: UsageStore;
  /** @internal */
  readonly archive: StoreArchive;
  readonly #executors: Executors;
  readonly #lookUps: LookUpQueue;

  /**
   * Makes a store. The database is not asked before the first call.
   *
   * @throws {TypeError} for an unknown or wrong option, or a missing `client`.
   */
  constructor(options: PostgresKeyStoreOptions) {
    if (mustBePostgresClient(options) === undefined)
      throw new TypeError(
        'PostgresKeyStore: a client is an option: write new PostgresKeyStore({ client })',
      );
    const checked = checkOptions<PostgresKeyStoreOptions>('PostgresKeyStore', options, {
      client: mustBePostgresClient,
      schema: mustBeSchemaName,
      table: mustBeTableName,
      queryTimeoutMs: mustBeInteger(1, 60_000),
      heartbeatMs: mustBeInteger(10, 600_000),
      watch: mustBeBoolean,
    });
    const {
      client,
      schema = 'public',
      table = 'api_keys',
      queryTimeoutMs = 2_000,
      heartbeatMs = 5_000,
      watch = true,
    } = checked;
    assertArgument('PostgresKeyStore', '"client"', client, mustBePostgresClient);
    ignoreIdleErrors(client);
    const database = new Database(client);
    const names = createNames(schema, table);
    const within = (limitMs: number) => new Executor(database, names, limitMs);
    this.#executors = {
      lookUp: within(queryTimeoutMs),
      change: within(5 * queryTimeoutMs),
      prune: within(pruneMs),
      unlimited: within(0),
    };
    this.#lookUps = new LookUpQueue(client, queryTimeoutMs, (digests, limitMs) =>
      findByDigests(within(limitMs), digests),
    );
    this.claims = new PostgresClaimStore(this.#executors);
    this.events = new PostgresEventStore(this.#executors);
    this.usage = new PostgresUsageStore(this.#executors);
    this.archive = new PostgresArchive(this.#executors.unlimited);

    const executor = this.#executors.lookUp;
    const createListener = listenerThrough(executor);
    if (createListener && watch)
      this.watch = (watcher) => new Watch({ executor, heartbeatMs, createListener }, watcher);
  }

  findByDigest(digest: string): Promise<StoredKey | undefined> {
    return this.#lookUps.find(digest);
  }

  async get(keyId: string): Promise<KeyRecord | undefined> {
    return get(this.#executors.lookUp, keyId);
  }

  async list(query: KeyQuery): Promise<KeyRecord[]> {
    return list(this.#executors.change, query);
  }

  async insert(key: StoredKey, options?: WriteOptions): Promise<KeyRecord> {
    return insert(this.#executors.change, key, options);
  }

  async update(keyId: string, changes: KeyUpdate, options?: WriteOptions): Promise<KeyRecord> {
    return update(this.#executors.change, keyId, changes, options);
  }

  async rotate(
    keyId: string,
    successor: Successor,
    overlap: Overlap,
    options?: WriteOptions,
  ): Promise<{
    /** The successor. */
    record: KeyRecord;
    /** The old key as it is now. */
    previous: KeyRecord;
  }> {
    return rotate(this.#executors.change, keyId, successor, overlap, options);
  }

  async revoke(
    keyId: string,
    revokedAt: Date,
    options: { family: boolean } & WriteOptions,
  ): Promise<KeyRecord[]> {
    return revoke(this.#executors.change, keyId, revokedAt, options);
  }

  async touch(uses: readonly KeyUse[]): Promise<void> {
    return touch(this.#executors.change, uses);
  }

  async prune(before: Date, options?: WriteOptions): Promise<number> {
    return prune(this.#executors.prune, before, options);
  }

  async pause(keyId: string, until: KeyPause, options?: WriteOptions): Promise<KeyRecord> {
    return pause(this.#executors.change, keyId, until, options);
  }

  async resume(keyId: string, now: Date, options?: WriteOptions): Promise<KeyRecord> {
    return resume(this.#executors.change, keyId, now, options);
  }

  async revokeUser(user: string, revokedAt: Date, options?: WriteOptions): Promise<RevokedAll> {
    return revokeUser(this.#executors.change, user, revokedAt, options);
  }

  async takeNotices(query: NoticeQuery): Promise<KeyNotice[]> {
    return takeNotices(this.#executors.change, query);
  }

  /**
   * Creates or upgrades the tables, and the schema if there is none. Restores triggers that were
   * disabled, changed or dropped, or that follow a renamed table.
   *
   * Each step runs whole or not at all. Any number of processes may run it at once. If everything
   * is up to date, nothing changes. Run it before the application starts, as a role that may
   * create tables.
   *
   * @throws {Error} if the tables were made by a newer version, hold plaintext keys, belong to
   *   something else, or share rows with other tables by inheritance.
   */
  async migrate(): Promise<void> {
    await migrate(this.#executors.unlimited);
  }

  /**
   * Reports the state of the database, for reports and checks before a start. Needs `select` on
   * `<table>_migrations`.
   */
  async inspect(): Promise<Inspection> {
    return inspect(this.#executors.lookUp);
  }

  /**
   * Reports what may break a promise in the server, the role and its rights. For `doctor`. The
   * result may grow.
   */
  async diagnose(): Promise<SetUp> {
    return diagnose(this.#executors.lookUp);
  }

  /**
   * Upgrades a table of plaintext keys in place:
   * `api_keys (id, user_name, api_key, created_at, last_used, is_active)`.
   *
   * The database itself replaces each key by its digest. Every working key keeps working, except
   * keys that no request can present, which are counted as `unpresentable`. Keys that do not have
   * this library's form need a manager with `legacyKeys`.
   *
   * The application that wrote the table may run until the last step. After it, that application
   * can no longer read the table. An interrupted run keeps its progress: run it again to finish.
   * A table that is up to date stays unchanged.
   *
   * @throws {TypeError} for an unknown or wrong option.
   * @throws {Error} if there is no such table, or a column or key of it cannot be adopted.
   *   Nothing is lost then.
   */
  async adopt(options?: AdoptOptions): Promise<AdoptSummary> {
    return adopt(this.#executors.unlimited, options);
  }
}

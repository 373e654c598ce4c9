import { assertArgument, checkOptions, mustBeInteger, type Check } from '../../lib/options.js';
import type { ClaimStore } from '../claim-store.js';
import type { EventStore } from '../key-event.js';
import type { KeyRecord, StoredKey } from '../key-record.js';
import type {
  WriteOptions,
  KeyUpdate,
  KeyNotice,
  KeyPause,
  KeyQuery,
  KeyStore,
  KeyStoreWatcher,
  KeyUse,
  NoticeQuery,
  Overlap,
  RevokedAll,
  Successor,
} from '../key-store.js';
import type { UsageStore } from '../key-usage.js';
import type { StoreArchive } from '../store-archive.js';
import { Database } from './database.js';
import { mustBeSqliteDatabase, type Connection, type SqliteDatabase } from './driver.js';
import { filePathOf } from './file-path.js';
import { findByDigest, get } from './keys/find.js';
import { insert } from './keys/insert.js';
import { list } from './keys/list.js';
import { takeNotices } from './keys/notices.js';
import { pause, resume } from './keys/pause.js';
import { prune } from './keys/prune.js';
import { revoke, revokeKeysOf } from './keys/revoke.js';
import { rotate } from './keys/rotate.js';
import { hasFirstUse, touch } from './keys/touch.js';
import { update } from './keys/update.js';
import { createNames, mustBeTableName, type Names } from './names.js';
import { findDriver } from './open-driver.js';
import { inspect, type Inspection } from './schema/inspect.js';
import { migrate } from './schema/migrate.js';
import { SqliteArchive } from './sqlite-archive.js';
import { CallersDatabase, DatabaseFile } from './source.js';
import { revokeClaimsOf, SqliteClaimStore } from './sqlite-claim-store.js';
import { SqliteEventStore } from './sqlite-event-store.js';
import { SqliteUsageStore } from './sqlite-usage-store.js';
import { toSafeError } from './sqlite-error.js';
import { Watch } from './watch.js';

/** Which table the store uses, and how long it waits. */
export interface SqliteFileOptions {
  /**
   * The table of keys, 1 to 43 bytes. The other tables have its name with an ending, such as
   * `<table>_claims`. Default `api_keys`.
   */
  table?: string | undefined;
  /**
   * How often the file is polled for changes made by other processes, in milliseconds: an integer
   * from 10 to 60 000. Default 250.
   */
  pollMs?: number | undefined;
  /**
   * How long a change waits for its turn while others write, in milliseconds: an integer from 0
   * to 600 000. Requests are served meanwhile. Default 5 000.
   */
  busyTimeoutMs?: number | undefined;
}

/** Which database and table the store uses, and how long it waits. */
export interface SqliteKeyStoreOptions extends SqliteFileOptions {
  /**
   * A database object of `node:sqlite` (`DatabaseSync`), `better-sqlite3` or `libsql`. Required.
   * Give the store an object of its own, because it uses transactions. The caller owns it: the
   * store never closes it.
   */
  database: SqliteDatabase;
}

const mustBePath: Check = (value) =>
  typeof value === 'string' && filePathOf(value) !== undefined
    ? undefined
    : 'the path of a file, also as file:keys.db, without "?"; ' +
      'for keys in memory use MemoryKeyStore';

const fileChecks = {
  table: mustBeTableName,
  pollMs: mustBeInteger(10, 60_000),
  busyTimeoutMs: mustBeInteger(0, 600_000),
};

/**
 * Keeps the records of an `ApiKeyManager` in a SQLite file, with digests in place of keys:
 * `new ApiKeyManager({ store: await SqliteKeyStore.open('keys.db') })`. Any number of processes
 * on one machine may use one file.
 *
 * Call `migrate`, `inspect` and `close` yourself. The manager calls the other methods, which are
 * those of `KeyStore`. Only `migrate` creates or changes tables or creates a file. A confirmed
 * change survives a power cut.
 *
 * A failure rejects with an `Error` whose message and `cause` hold neither key nor digest.
 */
export class SqliteKeyStore implements KeyStore {
  /** Keeps claim links, in the table `<table>_claims`. */
  readonly claims: ClaimStore;
  /** Keeps events, in the table `<table>_events`. */
  readonly events: EventStore;
  /** Keeps uses per day, in the table `<table>_usage`. */
  readonly usage: UsageStore;
  /**
   * Everything that the store keeps, for copying into another store.
   *
   * @internal
   */
  readonly archive: StoreArchive;
  readonly #database: Database;
  readonly #names: Names;
  readonly #pollMs: number;
  readonly #source: CallersDatabase | DatabaseFile;

  /**
   * Makes a store of a database object. The database is not asked before the first call.
   *
   * @throws {TypeError} for an unknown or wrong option, or a missing `database`.
   */
  constructor(options: SqliteKeyStoreOptions) {
    if (mustBeSqliteDatabase(options) === undefined) {
      throw new TypeError(
        'SqliteKeyStore: a database is an option: write new SqliteKeyStore({ database })',
      );
    }
    const checked = checkOptions<SqliteKeyStoreOptions>('SqliteKeyStore', options, {
      database: mustBeDatabase,
      ...fileChecks,
    });
    const { database, table = 'api_keys', pollMs = 250, busyTimeoutMs = 5_000 } = checked;
    assertArgument('SqliteKeyStore', '"database"', database, mustBeDatabase);
    this.#source = isFile(database) ? database : new CallersDatabase(database);
    this.#names = createNames(table);
    this.#pollMs = pollMs;
    this.#database = new Database(this.#source, this.#names, busyTimeoutMs);
    this.claims = new SqliteClaimStore(this.#database);
    this.events = new SqliteEventStore(this.#database);
    this.usage = new SqliteUsageStore(this.#database);
    this.archive = new SqliteArchive(this.#database);
  }

  /**
   * Makes a store of a file, with the first available driver: `node:sqlite` if this Node has it
   * without a flag, else `better-sqlite3`, else `libsql`. End the store with `close`.
   *
   * The file is opened at the first call. Only `migrate` creates it, with access for this user
   * alone (mode 0600). Until then every other call rejects, so a typo in the path starts no empty
   * file.
   *
   * @param path the path of the file, also as `file:keys.db`, or as a `file://` URL
   * @throws {TypeError} for a wrong path or option.
   * @throws {Error} if there is no driver. The message says what to install.
   */
  static async open(path: string, options?: SqliteFileOptions): Promise<SqliteKeyStore> {
    assertArgument('SqliteKeyStore.open', 'the path', path, mustBePath);
    const checked = checkOptions<SqliteFileOptions>('SqliteKeyStore.open', options, fileChecks);
    const file = new DatabaseFile(filePathOf(path)!, await findDriver());
    return new SqliteKeyStore({ ...checked, database: file as object as SqliteDatabase });
  }

  async findByDigest(digest: string): Promise<StoredKey | undefined> {
    return this.#read('findByDigest', (connection) =>
      findByDigest(connection, this.#names, digest),
    );
  }

  async get(keyId: string): Promise<KeyRecord | undefined> {
    return this.#read('get', (connection) => get(connection, this.#names, keyId));
  }

  async list(query: KeyQuery): Promise<KeyRecord[]> {
    return this.#read('list', (connection) => list(connection, this.#names, query));
  }

  async insert(key: StoredKey, options?: WriteOptions): Promise<KeyRecord> {
    return this.#change('insert', options, (connection) =>
      insert(connection, this.#names, key, options?.limit),
    );
  }

  async update(keyId: string, changes: KeyUpdate, options?: WriteOptions): Promise<KeyRecord> {
    return this.#change('update', options, (connection) =>
      update(connection, this.#names, keyId, changes, options?.limit),
    );
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
    const rotates = [keyId, successor.keyId] as const;
    return this.#database.change('rotate', { context: options?.context, rotates }, (connection) =>
      rotate(connection, this.#names, keyId, successor, overlap),
    );
  }

  async revoke(
    keyId: string,
    revokedAt: Date,
    options: { family: boolean } & WriteOptions,
  ): Promise<KeyRecord[]> {
    return this.#change('revoke', options, (connection) =>
      revoke(connection, this.#names, keyId, revokedAt, options.family),
    );
  }

  async touch(uses: readonly KeyUse[]): Promise<void> {
    // A last use can wait until later. The end of a key that depends on it cannot.
    const isPatient = await this.#read('touch', (connection) =>
      hasFirstUse(connection, this.#names, uses),
    );
    await this.#database.change(
      'touch',
      {},
      (connection) => touch(connection, this.#names, uses),
      isPatient,
    );
  }

  async prune(before: Date, options?: WriteOptions): Promise<number> {
    return this.#change('prune', options, (connection) => prune(connection, this.#names, before));
  }

  async pause(keyId: string, wanted: KeyPause, options?: WriteOptions): Promise<KeyRecord> {
    return this.#change('pause', options, (connection) =>
      pause(connection, this.#names, keyId, wanted),
    );
  }

  async resume(keyId: string, now: Date, options?: WriteOptions): Promise<KeyRecord> {
    return this.#change('resume', options, (connection) =>
      resume(connection, this.#names, keyId, now),
    );
  }

  async revokeUser(user: string, revokedAt: Date, options?: WriteOptions): Promise<RevokedAll> {
    return this.#change('revokeUser', options, (connection) => ({
      keys: revokeKeysOf(connection, this.#names, user, revokedAt),
      claims: revokeClaimsOf(connection, this.#names, user, revokedAt),
    }));
  }

  async takeNotices(query: NoticeQuery): Promise<KeyNotice[]> {
    return this.#change('takeNotices', undefined, (connection) =>
      takeNotices(connection, this.#names, query),
    );
  }

  /** Announces changes made by anyone, within `pollMs`, until closed. Called by the manager. */
  watch(watcher: KeyStoreWatcher): {
    /** Stops announcing. */
    close(): Promise<void>;
    /** How long the file is considered present after `alive`, in milliseconds. */
    readonly aliveForMs: number;
    /** Looks for changes now. */
    check(): Promise<void>;
  } {
    return new Watch(this.#database, this.#pollMs, watcher);
  }

  /**
   * Creates or upgrades the tables, and creates the file if the store was made by `open`.
   * Restores tables and triggers that were dropped or changed.
   *
   * It runs whole or not at all. Any number of processes may run it at once. If everything is up
   * to date, nothing changes. Run it before the application starts.
   *
   * @throws {Error} if the tables were made by a newer version, hold plaintext keys, or belong to
   *   something else, or if the file cannot be created.
   */
  async migrate(): Promise<void> {
    if (isFile(this.#source)) {
      try {
        this.#source.create();
      } catch (error) {
        throw toSafeError('migrate', this.#source.place, error);
      }
    }
    await migrate(this.#database);
  }

  /** Reports the state of the file, for reports and checks before a start. Creates no file. */
  async inspect(): Promise<Inspection> {
    if (isFile(this.#source) && !this.#source.exists()) return { state: 'missing', version: 0 };
    return this.#read('inspect', (connection) => inspect(connection, this.#names));
  }

  /**
   * Ends the store after the changes under way. Every later call rejects. May be called twice.
   * Closes a file that `open` opened, but not a database object of yours.
   */
  async close(): Promise<void> {
    await this.#database.close();
  }

  #read<Result>(action: string, work: (connection: Connection) => Result): Promise<Result> {
    return this.#database.read(action, work);
  }

  #change<Result>(
    action: string,
    options: WriteOptions | undefined,
    work: (connection: Connection) => Result,
  ): Promise<Result> {
    return this.#database.change(action, { context: options?.context }, work);
  }
}

const isFile = (database: object): database is DatabaseFile => database instanceof DatabaseFile;

const mustBeDatabase: Check = (value) =>
  value instanceof DatabaseFile ? undefined : mustBeSqliteDatabase(value);

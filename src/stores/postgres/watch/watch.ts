import { randomBytes } from 'node:crypto';
import type { KeyStoreWatcher } from '../../key-store.js';
import { isPgClient, isPglite, isPgPool } from '../client.js';
import type { Row, Executor } from '../database.js';
import { triggerVersion } from '../schema/triggers.js';
import { warnOnce } from '../../../lib/warn.js';
import { within } from '../../../lib/within.js';
import { callersClient, pgliteItself } from './callers-client.js';
import type { CreateListener, Listener } from './listener.js';
import { ownConnection } from './own-connection.js';

export interface WatchOptions {
  /** Its time limit applies to each step. */
  readonly executor: Executor;
  /** How often the connection and the triggers are checked, in milliseconds. */
  readonly heartbeatMs: number;
  readonly createListener: CreateListener;
}

/**
 * A heartbeat is two proofs. Each sends something and hears it, so it takes this many steps
 * within the session's limit.
 */
const stepsOfHeartbeat = 4;
const firstRetryMs = 100;
const longestRetryMs = 3_000;
/** A heartbeat is left out if no request came during this part of `heartbeatMs`. */
const idlePart = 0.8;

/** How to listen through this client, or `undefined` if it cannot. */
export function listenerThrough(executor: Executor): CreateListener | undefined {
  const { client } = executor.database;
  if (isPgPool(client)) return ownConnection(client);
  if (isPgClient(client)) return callersClient(client, executor);
  return isPglite(client) ? pgliteItself(client) : undefined;
}

/** Tells the watcher of changes until closed, over one connection after another if needed. */
export class Watch {
  /**
   * From one heartbeat to the end of the next, if that takes its full time. A process that was
   * paused for longer notices.
   */
  readonly aliveForMs: number;
  readonly #options: WatchOptions;
  readonly #watcher: KeyStoreWatcher;
  /**
   * The channel of the proofs, one for all connections: a pooler keeps every LISTEN that it passed
   * on, so a new channel for each attempt would pile up there.
   */
  readonly #probe = `require_api_key_probe:${randomBytes(16).toString('hex')}`;
  #listener: Listener | undefined;
  #isConnected = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Begins a heartbeat on the connected listener. */
  #beginHeartbeat: (() => Promise<void>) | undefined;
  /** The proof under way, of a connection or a heartbeat. One at a time. */
  #proving: Promise<void>;
  #nextCheck: Promise<void> | undefined;
  #isResting = false;
  #onProbe = () => {};
  /**
   * Ends the wait for a probe at once: its time limit must not keep a process that has closed the
   * watch alive.
   */
  #onGivenUp = () => {};
  #closed: Promise<void> | undefined;

  constructor(options: WatchOptions, watcher: KeyStoreWatcher) {
    this.aliveForMs = options.heartbeatMs + stepsOfHeartbeat * options.executor.limitMs;
    this.#options = options;
    this.#watcher = watcher;
    this.#proving = this.#connect();
  }

  /**
   * All callers during one heartbeat share the next, because the current one may have been sent
   * too early.
   */
  check(): Promise<void> {
    const begin = () => {
      this.#nextCheck = undefined;
      return this.#proveNow();
    };
    this.#nextCheck ??= this.#proving.then(begin, begin);
    return this.#nextCheck;
  }

  close(): Promise<void> {
    this.#closed ??= this.#giveUp();
    return this.#closed;
  }

  async #proveNow(): Promise<void> {
    const wasResting = this.#isResting;
    this.#isResting = false;
    if (this.#beginHeartbeat) {
      clearTimeout(this.#timer);
      this.#proving = this.#beginHeartbeat();
    } else if (wasResting && !this.#closed) {
      this.#proving = this.#connect();
    }
    await this.#proving;
    if (!this.#isConnected) throw new Error('changes may be missed');
  }

  async #connect(): Promise<void> {
    const { executor, createListener } = this.#options;
    const nonce = randomBytes(16).toString('hex');
    let listener: Listener | undefined;
    let version: string;
    const lost = () => listener && this.#lose(listener);
    try {
      listener = this.#listener = createListener({
        lost,
        notified: (name, payload) => {
          if (name === this.#probe) {
            if (payload === nonce) this.#onProbe();
          } else if (listener === this.#listener && this.#isConnected) {
            this.#watcher.changed(payload);
          }
        },
      });
      await within(executor.limitMs, listener.open([executor.names.channel, this.#probe]));
      // Some poolers and standby servers accept LISTEN and never deliver. Trusting such a
      // connection would keep revoked keys alive.
      await this.#prove(() => this.#notifyThroughPool(nonce));
      version = await this.#findTriggerVersion(listener, nonce);
    } catch {
      if (listener) lost();
      else this.#retry();
      return;
    }
    if (listener !== this.#listener) return;
    this.#failures = 0;
    this.#isConnected = true;
    const connected = listener;
    this.#beginHeartbeat = () => this.#heartbeat(connected, nonce, version);
    this.#watcher.connected();
    this.#beatLater();
  }

  /**
   * Resolves to the answer once the sent announcement was heard. Rejects if it was not heard
   * within the limit.
   */
  async #prove(send: () => Promise<Row[]>): Promise<Row[]> {
    const heard = new Promise<void>((resolve, reject) => {
      this.#onProbe = resolve;
      this.#onGivenUp = () => reject(new Error('the listener was given up'));
    });
    // Nobody may be waiting for it yet.
    heard.catch(() => {});
    const { limitMs } = this.#options.executor;
    const rows = await within(limitMs, send());
    await within(limitMs, heard);
    return rows;
  }

  async #notifyThroughPool(nonce: string): Promise<Row[]> {
    return this.#options.executor.query('watch', {
      text: 'select pg_catalog.pg_notify($1::text, $2::text)',
      values: [this.#probe, nonce],
    });
  }

  /**
   * The version of the triggers that announce every change. Rejects if they do not: then a key
   * revoked elsewhere could not be told from a valid one.
   */
  async #findTriggerVersion(listener: Listener, nonce: string): Promise<string> {
    const { names } = this.#options.executor;
    const { schema, table, keys } = names;
    const text = `select pg_catalog.pg_notify($1::text, $2::text),
      pg_catalog.to_regclass($3::text)::text as found_table,
      ${triggerVersion(names)} as version`;
    // An answer is not enough: while the caller's client is in a transaction, announcements are
    // held back.
    const [found] = await this.#prove(() =>
      listener.query({ text, values: [this.#probe, nonce, keys] }),
    );
    const version = found?.['version'];
    if (version) return version;
    const isThere = Boolean(found?.['found_table']);
    const message = isThere
      ? `PostgresKeyStore: changes to ${schema}.${table} may go unannounced: its triggers are ` +
        "missing, disabled or not this version's, or it inherits from another table or another " +
        'from it. Until that is fixed, cached keys are trusted for "cacheTtlMs" only. Run ' +
        'migrate().'
      : `PostgresKeyStore: there is no table ${schema}.${table}; run migrate() or, for this ` +
        'schema and table, "npx require-api-key migrate".';
    warnOnce(message, `${isThere ? 'silent' : 'missing'} table ${keys}`);
    throw new Error(message);
  }

  #beatLater(): void {
    this.#timer = setTimeout(() => this.#proveUnlessIdle(), this.#options.heartbeatMs).unref();
  }

  /**
   * Sends nothing while the application asks for nothing. Heartbeats would keep a database from
   * sleeping. They would also restart the idle time of a pool's connection, and so keep a script
   * alive.
   */
  #proveUnlessIdle(): void {
    const idleMs = this.#watcher.idleMs?.() ?? 0;
    if (this.#watcher.resting && idleMs >= idlePart * this.#options.heartbeatMs) {
      this.#isResting = true;
      this.#watcher.resting();
      return;
    }
    this.#proving = this.#beginHeartbeat ? this.#beginHeartbeat() : this.#connect();
  }

  async #heartbeat(listener: Listener, nonce: string, version: string): Promise<void> {
    try {
      // Triggers that are enabled now may have been disabled since the last heartbeat, and changes
      // meanwhile were not announced.
      if ((await this.#findTriggerVersion(listener, nonce)) !== version)
        throw new Error('the triggers were changed');
      // The pool may have moved on to another server, whose announcements this connection does not
      // hear.
      await this.#prove(() => this.#notifyThroughPool(nonce));
    } catch {
      this.#lose(listener);
      return;
    }
    if (listener !== this.#listener) return;
    this.#watcher.alive();
    this.#beatLater();
  }

  #lose(listener: Listener): void {
    if (listener !== this.#listener) return;
    void this.#giveUp();
    this.#retry();
  }

  async #giveUp(): Promise<void> {
    clearTimeout(this.#timer);
    this.#onGivenUp();
    const listener = this.#listener;
    this.#listener = undefined;
    this.#beginHeartbeat = undefined;
    if (this.#isConnected) {
      this.#isConnected = false;
      this.#watcher.disconnected();
    }
    await listener?.close();
  }

  /**
   * Soon at first. Jitter keeps many processes from reconnecting all at once to a server that
   * restarts.
   */
  #retry(): void {
    if (this.#closed || this.#isResting) return;
    const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures++);
    this.#timer = setTimeout(
      () => this.#proveUnlessIdle(),
      delayMs * (0.5 + Math.random() / 2),
    ).unref();
  }
}

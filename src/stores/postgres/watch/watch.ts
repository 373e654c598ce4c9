import { randomBytes } from 'node:crypto';
import type { KeyStoreWatcher } from '../../key-store.js';
import { isPgClient, isPglite, isPgPool } from '../client.js';
import type { Database } from '../database.js';
import { within } from '../../../lib/within.js';
import { callersClient, pgliteItself } from './callers-client.js';
import type { CreateLink, Link } from './link.js';
import { ownConnection } from './own-connection.js';

export interface WatchOptions {
  readonly database: Database;
  readonly channel: string;
  /** How often the connection is seen to be working, in milliseconds. */
  readonly heartbeatMs: number;
  /** How long each step may take, in milliseconds. */
  readonly limitMs: number;
}

const firstRetryMs = 100;
const longestRetryMs = 3_000;

/** How to listen through this client, or `undefined` where it cannot. */
export function linkThrough(database: Database, limitMs: number): CreateLink | undefined {
  const { client } = database;
  if (isPgPool(client)) return ownConnection(client);
  if (isPgClient(client)) return callersClient(client, database, limitMs);
  return isPglite(client) ? pgliteItself(client) : undefined;
}

/** Tells the watcher of changes until it is closed, over as many connections one after the other as that takes. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #createLink: CreateLink;
  readonly #watcher: KeyStoreWatcher;
  #link: Link | undefined;
  #isConnected = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #onProbe = () => {};
  #closed: Promise<void> | undefined;

  constructor(options: WatchOptions, createLink: CreateLink, watcher: KeyStoreWatcher) {
    this.#options = options;
    this.#createLink = createLink;
    this.#watcher = watcher;
    void this.#connect();
  }

  close(): Promise<void> {
    this.#closed ??= this.#giveUp();
    return this.#closed;
  }

  async #connect(): Promise<void> {
    const { channel, limitMs } = this.#options;
    const probe = `require_api_key_probe:${randomBytes(16).toString('hex')}`;
    let link: Link | undefined;
    const lost = () => link && this.#lose(link);
    try {
      link = this.#link = this.#createLink({
        lost,
        notified: (name, payload) => {
          if (name === probe) this.#onProbe();
          else if (link === this.#link && this.#isConnected) this.#watcher.changed(payload);
        },
      });
      await within(limitMs, link.open([channel, probe]));
      // Some poolers and standby servers take a LISTEN and never deliver. Trusting such a connection would keep revoked keys alive.
      await this.#prove(() => this.#notifyThroughPool(probe));
    } catch {
      if (link) lost();
      else this.#retry();
      return;
    }
    if (link !== this.#link) return;
    this.#failures = 0;
    this.#isConnected = true;
    this.#watcher.connected();
    this.#beatLater(link, probe);
  }

  /** Resolves when the announcement that is sent has been heard; rejects when it has not within the limit. */
  async #prove(send: () => Promise<unknown>): Promise<void> {
    const heard = new Promise<void>((resolve) => (this.#onProbe = resolve));
    await within(this.#options.limitMs, send());
    await within(this.#options.limitMs, heard);
  }

  async #notifyThroughPool(probe: string): Promise<void> {
    const { database, limitMs } = this.#options;
    await database.query('watch', { text: `select pg_notify($1::text, '')`, values: [probe] }, limitMs);
  }

  #beatLater(link: Link, probe: string): void {
    this.#timer = setTimeout(() => void this.#beat(link, probe), this.#options.heartbeatMs).unref();
  }

  async #beat(link: Link, probe: string): Promise<void> {
    try {
      // To be answered is not enough: while the caller's client is in a transaction, announcements are held back.
      await this.#prove(() => link.notify(probe));
    } catch {
      this.#lose(link);
      return;
    }
    if (link !== this.#link) return;
    this.#watcher.alive();
    this.#beatLater(link, probe);
  }

  #lose(link: Link): void {
    if (link !== this.#link) return;
    void this.#giveUp();
    this.#retry();
  }

  async #giveUp(): Promise<void> {
    clearTimeout(this.#timer);
    const link = this.#link;
    this.#link = undefined;
    if (this.#isConnected) {
      this.#isConnected = false;
      this.#watcher.disconnected();
    }
    await link?.close();
  }

  /** Soon at first; jitter keeps many processes from coming back to a server that restarts all at once. */
  #retry(): void {
    if (this.#closed) return;
    const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures++);
    this.#timer = setTimeout(() => void this.#connect(), delayMs * (0.5 + Math.random() / 2)).unref();
  }
}

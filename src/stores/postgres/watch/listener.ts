import type { Row, Statement } from '../database.js';

/** Events of a listening connection. */
export interface ListenerEvents {
  readonly notified: (channel: string, payload: string) => void;
  /** The connection will not work again. */
  readonly lost: () => void;
}

/** One listening connection. It is discarded when anything about it fails. */
export interface Listener {
  /** Connects, and listens on these channels. */
  open(channels: readonly string[]): Promise<void>;
  /** Sends a statement over this connection and resolves to its rows. */
  query(statement: Statement): Promise<Row[]>;
  /**
   * Stops listening, and ends the connection if it was made for this. Takes little time and never
   * rejects.
   */
  close(): Promise<void>;
}

export type CreateListener = (events: ListenerEvents) => Listener;

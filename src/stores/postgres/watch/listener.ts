import type { Row, Statement } from '../database.js';

/** What a connection that listens tells of itself. */
export interface ListenerEvents {
  readonly notified: (channel: string, payload: string) => void;
  /** It will not work again. */
  readonly lost: () => void;
}

/** One connection that listens. Given up as a whole when anything about it fails. */
export interface Listener {
  /** Connects, and listens on these channels. */
  open(channels: readonly string[]): Promise<void>;
  /** Sends a statement over this connection and resolves to its rows. */
  query(statement: Statement): Promise<Row[]>;
  /** Stops listening, and ends the connection if it was made for this. Soon over, and never rejects. */
  close(): Promise<void>;
}

export type CreateListener = (events: ListenerEvents) => Listener;

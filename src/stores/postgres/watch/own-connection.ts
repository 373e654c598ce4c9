import type { PgClient, PgPool, PgPoolClient } from '../client.js';
import { quoteIdentifier } from '../quote.js';
import { within } from '../../../lib/within.js';
import type { Row } from '../database.js';
import type { CreateListener, Listener, ListenerEvents } from './listener.js';

/** How long a discarded connection may take to close, in milliseconds. */
const goodbyeMs = 500;

interface Notification {
  readonly channel: string;
  readonly payload?: string;
}

/**
 * A connection beside the pool, with the pool's settings. It takes no place in the pool, which an
 * application with few connections would miss. If a pool does not reveal how to connect, this
 * takes a place after all.
 */
export function ownConnection(pool: PgPool): CreateListener {
  return (events) => {
    const { Client, options } = pool;
    if (Client && options) {
      const client = new Client(options);
      return listenerOn(
        events,
        async () => {
          // It must not keep a script alive. Repeated after connecting, because encryption replaces
          // the socket.
          client.unref?.();
          await client.connect();
          client.unref?.();
          return client;
        },
        client,
      );
    }
    return listenerOn(events, () => pool.connect());
  };
}

function listenerOn(
  events: ListenerEvents,
  connect: () => Promise<PgClient>,
  made?: PgClient,
): Listener {
  let client: PgClient | undefined;
  let isClosed = false;
  const watchOver = (connection: PgClient) => {
    client = connection;
    connection.on('error', events.lost);
    connection.on('end', events.lost);
    connection.on('notification', ({ channel, payload }: Notification) =>
      events.notified(channel, payload ?? ''),
    );
  };
  if (made) watchOver(made);
  return {
    async open(channels) {
      const connection = await connect();
      if (!made) watchOver(connection);
      if (isClosed) return end(connection);
      await connection.query(
        channels.map((channel) => `listen ${quoteIdentifier(channel)}`).join('; '),
      );
    },
    async query({ text, values = [] }) {
      if (!client) throw new Error('not connected');
      return (await client.query(text, [...values])).rows as Row[];
    },
    async close() {
      isClosed = true;
      if (client) await end(client);
    },
  };
}

async function end(client: PgClient): Promise<void> {
  try {
    if ('release' in client) return (client as PgPoolClient).release(true);
    await within(goodbyeMs, client.end());
  } catch {
    // A frozen server never confirms the end.
    client.connection?.stream?.destroy?.();
  }
}

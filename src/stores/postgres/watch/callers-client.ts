import type { PgClient, Pglite } from '../client.js';
import { quoteIdentifier } from '../quote.js';
import type { Row, Statement, Executor } from '../database.js';
import type { CreateListener } from './listener.js';

/**
 * Rejects unless the server's process is the one that greeted the client. Through a pooler it is
 * not: there the client hears itself by chance, and others only while one of its statements runs.
 */
async function assertNoPooler(
  { processID }: PgClient,
  query: (statement: Statement) => Promise<Row[]>,
): Promise<void> {
  if (typeof processID !== 'number') return;
  const [row] = await query({ text: 'select pg_catalog.pg_backend_pid()::text as pid' });
  if (row?.['pid'] !== String(processID)) throw new Error('the client goes through a pooler');
}

/** Listens on the caller's own `pg` Client, between the store's statements. */
export function callersClient(client: PgClient, executor: Executor): CreateListener {
  return (events) => {
    const onNotification = ({ channel, payload }: { channel: string; payload?: string }) =>
      events.notified(channel, payload ?? '');
    const query = (statement: Statement) => executor.query('watch', statement);
    let heard: readonly string[] = [];
    return {
      async open(channels) {
        await assertNoPooler(client, query);
        heard = channels;
        client.on('error', events.lost);
        client.on('end', events.lost);
        client.on('notification', onNotification);
        for (const channel of channels) await query({ text: `listen ${quoteIdentifier(channel)}` });
      },
      query,
      async close() {
        client.off('error', events.lost);
        client.off('end', events.lost);
        client.off('notification', onNotification);
        // If the client is gone, there is nothing left to stop.
        for (const channel of heard)
          await query({ text: `unlisten ${quoteIdentifier(channel)}` }).catch(() => {});
      },
    };
  };
}

/** Listens on PGlite, which runs in this process: there is no connection to lose. */
export function pgliteItself(client: Pglite): CreateListener {
  return (events) => {
    const stops: (() => Promise<void>)[] = [];
    return {
      async open(channels) {
        for (const channel of channels) {
          const heard = (payload: string) => events.notified(channel, payload);
          stops.push(await client.listen(quoteIdentifier(channel), heard));
        }
      },
      query: async ({ text, values = [] }) => (await client.query(text, [...values])).rows as Row[],
      async close() {
        await Promise.all(stops.map((stop) => stop().catch(() => {})));
      },
    };
  };
}

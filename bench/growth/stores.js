import pg from 'pg';
import { PostgresKeyStore, SqliteKeyStore } from '../library.js';

/** How often a process looks for changes that others made to a SQLite file: the store's default. */
export const pollMs = 250;

/** A store of this kind in this process, and how to end it. */
export async function openStore({ kind, url, sqlitePath }) {
  if (kind === 'sqlite') {
    const store = await SqliteKeyStore.open(sqlitePath);
    return { store, end: () => store.close() };
  }
  const client = new pg.Pool({ connectionString: url });
  return { store: new PostgresKeyStore({ client }), client, end: () => client.end() };
}

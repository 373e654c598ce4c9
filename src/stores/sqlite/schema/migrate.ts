import type { Database } from '../database.js';
import type { Connection } from '../driver.js';
import type { Names } from '../names.js';
import { isBusy } from '../sqlite-error.js';
import { inspect, latestVersion, type Inspection } from './inspect.js';
import { createTables } from './tables.js';
import { createTriggers } from './triggers.js';

/**
 * Brings the schema up to date, in one transaction. Of many processes at once, one does it. The
 * others wait and find it done.
 *
 * @throws {Error} if the schema is newer than the library, or the table is not this library's
 */
export async function migrate(database: Database): Promise<void> {
  const { names } = database;
  const found = await database.read('migrate', (connection) => checked(connection, names));
  // SQLite only allows this outside a transaction. It comes after the check, so a file of another
  // program stays unchanged.
  await database.read('migrate', (connection) => useWal(connection, names));
  if (found.state === 'ready') return;
  await database.transact('migrate', (connection) => {
    const { state } = checked(connection, names);
    if (state === 'ready') return;
    // If the table of keys was dropped, its migrations are forgotten.
    connection.exec(createTables(names));
    connection.exec(createTriggers(names));
    connection.run(
      `insert into ${names.migrations} (version) values (?) on conflict do nothing`,
      latestVersion,
    );
  });
}

/** From now on, readers and writers of every process do not wait for each other. */
function useWal(connection: Connection, names: Names): void {
  if (isWal(connection)) return;
  try {
    connection.all(switchToWal);
  } catch (error) {
    if (isBusy(error)) throw error;
    // In libSQL, a read that found the file locked counts as a transaction until it runs again,
    // and that of another call may be waiting to do so.
    inspect(connection, names);
    connection.all(switchToWal);
  }
}

const switchToWal = 'pragma journal_mode = wal';

const isWal = (connection: Connection): boolean =>
  connection.all('pragma journal_mode')[0]?.['journal_mode'] === 'wal';

function checked(connection: Connection, names: Names): Inspection {
  const inspection = inspect(connection, names);
  const { state, version } = inspection;
  if (state === 'newer') {
    throw new Error(
      `the schema of ${names.table} is version ${version}, newer than this library knows ` +
        `(${latestVersion}); use at least the library version that made it`,
    );
  }
  if (state === 'plaintext')
    throw new Error(`${names.table} holds plaintext keys; choose another "table" and import them`);
  if (state === 'unrelated')
    throw new Error(`${names.table} exists and is not a table of keys; choose another "table"`);
  return inspection;
}

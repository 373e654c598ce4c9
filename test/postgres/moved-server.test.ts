import { expect, it, onTestFinished } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { recordingWatcher } from '../support/watcher.js';

const here = await createDatabase();
const elsewhere = await createDatabase();

it('a pool whose queries go to another database from now on -> the connection that still listens to the old one is not trusted', async () => {
  const pool = here.pool();
  const other = elsewhere.pool();
  await new PostgresKeyStore({ client: pool }).migrate();
  await new PostgresKeyStore({ client: other }).migrate();
  const watcher = recordingWatcher();
  const watch = new PostgresKeyStore({ client: pool, heartbeatMs: 30, queryTimeoutMs: 200 }).watch!(
    watcher,
  );
  onTestFinished(() => watch.close());
  await watcher.until('alive', 3);

  pool.connect = other.connect.bind(other);

  await watcher.until('disconnected');
  expect(watcher.told.indexOf('connected', watcher.told.indexOf('disconnected'))).toBe(-1);
});

import { expect, it, onTestFinished } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { startServer } from '../support/postgres.js';
import { storedKey } from '../support/stored-key.js';
import { recordingWatcher } from '../support/watcher.js';

const server = await startServer();

it('changes that logical replication brings -> announced where they arrive; a last use is not', async () => {
  const admin = await server.client();
  await admin.query('alter system set wal_level = logical');
  await server.restart();
  const source = server.pool();
  await source.query('create database replica');
  const url = new URL(server.url);
  url.pathname = '/replica';
  const target = server.pool({ connectionString: url.href });
  const [written, arriving] = [source, target].map(
    (client) => new PostgresKeyStore({ client, heartbeatMs: 50 }),
  );
  await written!.migrate();
  await arriving!.migrate();
  await source.query('create publication keys for table api_keys');
  // On one server, a subscription that makes its own slot would wait for itself.
  await source.query(`select pg_create_logical_replication_slot('keys', 'pgoutput')`);
  await target.query(
    `create subscription keys connection '${server.url}' publication keys with (create_slot = false, slot_name = 'keys')`,
  );
  const watcher = recordingWatcher();
  const watch = arriving!.watch!(watcher);
  onTestFinished(() => watch.close());
  await watcher.until('connected');

  const key = storedKey();
  await written!.insert(key);
  await watcher.until(`changed ${key.keyId}`);
  await written!.touch([{ keyId: key.keyId, usedAt: new Date() }]);
  await written!.revoke(key.keyId, new Date(), { family: false });
  await watcher.until(`changed ${key.keyId}`, 2);
  expect((await arriving!.get(key.keyId))?.revokedAt).toBeInstanceOf(Date);
  await written!.prune(new Date(Date.now() + 60_000));
  await watcher.until(`changed ${key.keyId}`, 3);
  await source.query('truncate api_keys');
  await watcher.until('changed ');

  expect(watcher.changes).toEqual([key.keyId, key.keyId, key.keyId, '']);
});

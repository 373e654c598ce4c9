// A server like a user's, in a process of its own: `fork` it through `startGuardedProcess`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import pg from 'pg';
import { ApiKeyManager, requireApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { SqliteKeyStore } from '../../src/sqlite.js';
import type { GuardedProcessOptions } from './start-guarded-process.js';

const {
  url,
  file,
  pool: poolOptions,
  store: storeOptions,
  manager,
} = JSON.parse(process.env['GUARDED_PROCESS']!) as GuardedProcessOptions;

const client = new pg.Pool({ connectionString: url, ...poolOptions });
const store = file
  ? await SqliteKeyStore.open(file)
  : new PostgresKeyStore({ client, ...storeOptions });
const keys = new ApiKeyManager({ store, ...manager });
const app = express();
app.get('/', requireApiKey({ source: keys }), (req, res) => void res.json(req.apiKey));
const server = createServer(app).listen(0, '127.0.0.1', () => {
  process.send!({ port: (server.address() as AddressInfo).port });
});

process.once('message', () => void close());

async function close(): Promise<void> {
  server.close();
  server.closeIdleConnections();
  await keys.close();
  await client.end();
  process.disconnect();
}

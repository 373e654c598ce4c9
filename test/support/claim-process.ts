import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { claimPage } from '../../src/web.js';
import express from 'express';

// One of several servers on one database; its port is the only line it prints.
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
const app = express();
app.use(
  '/claim',
  claimPage({ keys: new ApiKeyManager({ store: new PostgresKeyStore({ client: pool }) }) }),
);
const server = createServer(app).listen(0, '127.0.0.1');
await once(server, 'listening');
console.log((server.address() as AddressInfo).port);

// A server that shows all that it can show: `fork`ed by test/security/secrecy.test.ts, which
// searches what comes out.
import { subscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { writeHeapSnapshot } from 'node:v8';
import express from 'express';
import pg from 'pg';
import * as library from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';

const { ApiKeyManager, apiKeyOf, envKeyList, requireApiKey, requireScopes } = library;
const showAll = (value: unknown) =>
  console.log(inspect(value, { depth: 9, showHidden: true, getters: true }));

const client = new pg.Pool({ connectionString: process.env['DATABASE'] });
const store = new PostgresKeyStore({ client });
const keys = new ApiKeyManager({ store, legacyKeys: true, lastUsedIntervalMs: 20 });
const list = envKeyList('SECRET_KEYS');

for (const name of ['admitted', 'refused', 'fault', 'changed', 'reuse', 'claim']) {
  subscribe(`require-api-key:${name}`, (message) => {
    const { request: _request, ...own } = message as { request?: unknown };
    showAll([name, own]);
  });
}

const app = express();
app.get(
  '/managed',
  requireApiKey({ source: [list, keys] }),
  (req, res) => void res.json(showIdentity(req)),
);
app.get('/stripped', requireApiKey({ source: [keys, list], stripHeader: true }), (req, res) => {
  showAll([req.headers, req.rawHeaders, req.headersDistinct, req.socket.remoteAddress]);
  res.json(showIdentity(req));
});
app.get('/scoped', requireApiKey({ source: [keys, list] }), requireScopes('none:has'), () => {});
app.get(
  '/failing',
  requireApiKey({
    source: (key) => {
      throw new Error(`no row for ${key}`, {
        cause: new Error(`digest ${library.digestApiKey(key)}`),
      });
    },
  }),
  () => {},
);
app.get(
  '/echoing',
  requireApiKey({ source: (key) => ({ user: 'alice', metadata: { row: { key } } }) }),
  (req, res) => void res.json(showIdentity(req)),
);
app.get(
  '/handed-over',
  requireApiKey({
    source: [keys, list],
    scopes: ['none:has'],
    onRefused: (error, _req, _res, next) => next(error),
  }),
  () => {},
);

function showIdentity(req: express.Request) {
  showAll(apiKeyOf(req));
  return apiKeyOf(req);
}

const server = createServer(app).listen(0, '127.0.0.1', () => {
  showAll([library, keys, store, list, app]);
  process.send!({ port: (server.address() as AddressInfo).port });
});

process.on('message', (file: string) => void showAndEnd(file));

async function showAndEnd(file: string): Promise<void> {
  server.closeAllConnections();
  showAll([keys, store, list, await keys.list()]);
  await new Promise((resolve) => void setTimeout(resolve, 100));
  if (file !== 'end') {
    writeHeapSnapshot(file);
    process.send!({ done: true });
    return;
  }
  server.close();
  await keys.close();
  await client.end();
  process.disconnect();
}

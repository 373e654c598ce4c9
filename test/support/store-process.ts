// One of several processes on one key store: `fork` it through `startStoreProcess`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import pg from 'pg';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { SqliteKeyStore } from '../../src/sqlite.js';
import { accountKeys } from '../../src/web.js';
import type { StoreProcessOptions } from './start-store-process.js';

/** What a process is told to do: to call a method of its manager or store some times at once. */
export interface Call {
  readonly id: number;
  readonly on: 'keys' | 'store' | 'claims';
  readonly method: string;
  readonly calls: readonly (readonly unknown[])[];
}

const { file, busyTimeoutMs, url, manager, maxKeys } = JSON.parse(
  process.env['STORE_PROCESS']!,
) as StoreProcessOptions;
const pool = url === undefined ? undefined : new pg.Pool({ connectionString: url });
const store = pool
  ? new PostgresKeyStore({ client: pool })
  : await SqliteKeyStore.open(file!, { busyTimeoutMs });
const keys = new ApiKeyManager({ store, ...manager });

// The account page, on which a header stands for the session.
const app = express();
app.use(
  '/account/keys',
  accountKeys({ keys, maxKeys, userOf: ({ headers }) => headers['person'] as string }),
);
const server = createServer(app).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send!({ id: 0, answers: [], port });
});

process.on('message', ({ id, on, method, calls }: Call) => {
  const target = { keys, store, claims: store.claims }[on] as unknown as Record<
    string,
    (...args: readonly unknown[]) => Promise<unknown>
  >;
  const outcomes = calls.map(async (args) => {
    try {
      return { value: await target[method]!(...args) };
    } catch (error) {
      return { code: (error as { code?: string }).code ?? (error as Error).message };
    }
  });
  void Promise.all(outcomes).then((answers) => process.send!({ id, answers }));
});

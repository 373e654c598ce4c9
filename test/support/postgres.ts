import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { startPostgres, type PostgresServer } from './postgres-server.js';
import { officeName } from './postgres-office.js';

export type { PostgresServer } from './postgres-server.js';

export interface TestDatabase {
  readonly url: string;
  /** A pool that is ended with the database. */
  pool(options?: pg.PoolConfig): pg.Pool;
  /** A connected client that is ended with the database; as `user` where one is given. */
  client(options?: pg.ClientConfig): Promise<pg.Client>;
}

export interface DatabaseSettings {
  /** Of the texts in it. Default that of the server, UTF8. */
  readonly encoding?: 'LATIN1';
}

/**
 * An empty database of its own, until the end of the test file. To be called while the file is
 * collected, at its top. On the server of this run, or on that of `TEST_DATABASE_URL`, which has to
 * be a superuser's.
 */
export async function createDatabase(settings: DatabaseSettings = {}): Promise<TestDatabase> {
  const serverUrl = process.env['TEST_DATABASE_URL'] || (await sharedServer());
  return databaseOn(serverUrl, settings);
}

/** A server of the test file's own, to be killed, frozen and restarted; ended with the file. */
export async function startServer(
  settings?: Readonly<Record<string, string>>,
): Promise<PostgresServer & TestDatabase> {
  return asDatabase(await startPostgres(settings));
}

/** A standby that follows this server, ended with the file. */
export async function startStandby(
  primary: PostgresServer,
): Promise<PostgresServer & TestDatabase> {
  return asDatabase(await startPostgres({}, primary));
}

/** Empties the tables of keys: ten times faster than to drop and make them. */
export async function clearTables(client: Pick<pg.Pool, 'query'>): Promise<void> {
  // The events last, because a deleted key leaves one.
  const tables = ['', '_claims', '_notices', '_usage', '_events'];
  await client.query(tables.map((part) => `delete from api_keys${part};`).join(' '));
}

function asDatabase(server: PostgresServer): PostgresServer & TestDatabase {
  const open = connections(server.url);
  afterAll(async () => {
    await server.kill();
    await open.end();
    await server.stop();
  });
  return { ...server, ...open };
}

async function sharedServer(): Promise<string> {
  const response = await fetch(inject(officeName));
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return answer;
}

async function databaseOn(
  serverUrl: string,
  { encoding }: DatabaseSettings,
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const clause = encoding ? ` encoding '${encoding}' locale 'C' template template0` : '';
  await runOn(serverUrl, `create database ${name}${clause}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const opened = connections(url.href);
  afterAll(async () => {
    await opened.end();
    await runOn(serverUrl, `drop database ${name} with (force)`);
  });
  return opened;
}

async function runOn(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text);
  await client.end();
}

function connections(url: string): TestDatabase & { end(): Promise<void> } {
  const opened: { end(): Promise<void> }[] = [];
  const keep = <Opened extends EventEmitter & { end(): Promise<void> }>(
    connection: Opened,
  ): Opened => {
    // Tests of outages break connections on purpose.
    connection.on('error', () => {});
    opened.push(connection);
    return connection;
  };
  return {
    url,
    pool: (options) => keep(new pg.Pool({ connectionString: url, ...options })),
    async client(options) {
      const client = keep(new pg.Client({ connectionString: url, ...options }));
      await client.connect();
      return client;
    },
    async end() {
      await Promise.allSettled(opened.map(async (connection) => connection.end()));
    },
  };
}

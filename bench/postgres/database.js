import { tsImport } from 'tsx/esm/api';
import pg from 'pg';
import { getMigrations } from 'better-auth/db/migration';
import { createSqliteFile } from '../sqlite/file.js';
import { digestApiKey, parseApiKey, PostgresKeyStore } from '../library.js';
import { makeKeys } from '../micro/keys.js';
import { createBetterAuth, makeBetterAuthKeys } from '../micro/peers.js';

const { startPostgres } = await tsImport('../../test/support/postgres-server.ts', import.meta.url);

/** Keys that requests present; all others of a table are only there. */
const presentable = 2_000;

/**
 * A PostgreSQL server of its own, with as many databases as are asked for, and a SQLite file beside
 * each.
 */
export async function startDatabases() {
  const server = await startPostgres();
  const files = [];
  return {
    async stop() {
      for (const file of files) file.remove();
      // The server's process does not keep this one alive, which has yet to see it go.
      const awake = setInterval(() => {}, 1_000);
      await server.stop();
      clearInterval(awake);
    },
    /** The settings that decide what a write costs. */
    settings: () =>
      withClient(server.url, async (client) => {
        const names = [
          'server_version',
          'fsync',
          'synchronous_commit',
          'full_page_writes',
          'shared_buffers',
        ];
        const { rows } = await client.query(
          'select name, setting, unit from pg_settings where name = any($1) order by name',
          [names],
        );
        return rows.map(
          ({ name, setting, unit }) => `${name} ${setting}${unit ? ` × ${unit}` : ''}`,
        );
      }),
    async create(rows) {
      const database = await createDatabase(server.url, rows);
      const file = await createSqliteFile(rows, database.keys);
      files.push(file);
      return { ...database, sqlitePath: file.path };
    },
  };
}

/** A database with so many rows in the table of each contestant. */
async function createDatabase(serverUrl, rows) {
  const name = `rows_${rows}`;
  await withClient(serverUrl, (client) => client.query(`create database ${name}`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const keys = makeKeys(Math.min(rows, presentable));
  const betterAuthKeys = await withClient(url.href, async (client) => {
    await new PostgresKeyStore({ client }).migrate();
    await client.query(plainTable);
    await insertKeys(client, keys, rows - keys.length);
    const made = await fillBetterAuth(url.href, client, rows);
    for (const table of ['api_keys', 'plain_keys', 'apikey']) {
      // What the vacuum writes must not be counted among what requests write.
      await client.query(`alter table ${table} set (autovacuum_enabled = false)`);
      await client.query(`vacuum (analyze) ${table}`);
    }
    await client.query('checkpoint');
    return made;
  });
  return { url: url.href, keys, betterAuthKeys, walBytes: (since) => walBytes(url.href, since) };
}

const plainTable = `create table plain_keys (id serial primary key, user_name text not null, api_key text not null unique,
  created_at timestamp not null default now(), last_used timestamp, is_active boolean not null default true)`;

async function insertKeys(client, keys, others) {
  const values = [keys.map((key) => parseApiKey(key).keyId), keys.map(digestApiKey), keys];
  await client.query(
    `insert into api_keys (key_id, user_name, digest) select i, i, d from unnest($1::text[], $2::text[]) as k (i, d)`,
    values.slice(0, 2),
  );
  await client.query(
    `insert into plain_keys (user_name, api_key) select i, k from unnest($1::text[], $2::text[]) as k (i, k)`,
    [values[0], values[2]],
  );
  if (others === 0) return;
  const digest = `encode(sha256(i::text::bytea), 'hex')`;
  await client.query(
    `insert into api_keys (key_id, user_name, digest)
    select 'key_' || lpad(i::text, 10, '0'), 'user' || i, 'sha256:' || ${digest} from generate_series(1, ${others}) i`,
  );
  await client.query(
    `insert into plain_keys (user_name, api_key) select 'user' || i, substr(${digest}, 1, 52) from generate_series(1, ${others}) i`,
  );
}

/** Rows like those that better-auth has made itself, with other ids and digests. */
async function fillBetterAuth(url, client, rows) {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  const auth = createBetterAuth(pool);
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  const keys = await makeBetterAuthKeys(auth, Math.min(rows, 200));
  await pool.end();
  const columns = await client.query(
    `select column_name from information_schema.columns where table_name = 'apikey' and column_name not in ('id', 'key')`,
  );
  const others = columns.rows.map(({ column_name: name }) => `a."${name}"`).join(', ');
  await client.query(
    `insert into apikey (id, key, ${others.replaceAll('a."', '"')})
    select 'id' || i, rtrim(translate(encode(sha256(('other' || i)::bytea), 'base64'), '+/', '-_'), '='), ${others}
    from (select * from apikey limit 1) a, generate_series(1, ${rows - keys.length}) i`,
  );
  return keys;
}

/** How far the log of changes has come, or how many bytes were written since then. */
async function walBytes(url, since) {
  return withClient(url, async (client) => {
    const { rows } = await client.query(
      since === undefined
        ? 'select pg_current_wal_lsn()::text as lsn'
        : `select pg_wal_lsn_diff(pg_current_wal_lsn(), '${since}')::float8 as bytes`,
    );
    return since === undefined ? rows[0].lsn : rows[0].bytes;
  });
}

async function withClient(url, use) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

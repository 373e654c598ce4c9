import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey } from '../support/stored-key.js';
import { collectWarnings } from '../support/warnings.js';
import { recordingWatcher } from '../support/watcher.js';
import { earlierVersions, makeSchema } from './earlier-schema.js';

const database = await createDatabase();
const pool = database.pool();
const byHand = await database.client();
const databaseName = new URL(database.url).pathname.slice(1);
const cacheTtlMs = 500;
const warnings = collectWarnings();

beforeEach(async () => {
  await byHand.query('drop schema public cascade; create schema public');
  await byHand.query(`alter database ${databaseName} reset session_replication_role`);
});

function managerOnDatabase() {
  const keys = new ApiKeyManager({ store: new PostgresKeyStore({ client: pool }), cacheTtlMs });
  onTestFinished(() => keys.close());
  return keys;
}

function watching(table = 'api_keys', client = pool) {
  const watcher = recordingWatcher();
  const store = new PostgresKeyStore({ client, table, heartbeatMs: 30 });
  const watch = store.watch!(watcher);
  onTestFinished(() => watch.close());
  return { watcher, store };
}

const ways: Record<string, () => Promise<unknown>> = {
  'a schema from before the announcements': () => makeSchema(byHand, 2),
  'triggers that are disabled': async () => {
    await new PostgresKeyStore({ client: byHand }).migrate();
    await byHand.query('alter table api_keys disable trigger user');
  },
  // Also how rows arrive from some tools that restore and copy.
  'changes made as a replica': async () => {
    await new PostgresKeyStore({ client: byHand }).migrate();
    await byHand.query(`alter database ${databaseName} set session_replication_role = replica`);
  },
};

it.each(Object.entries(ways))(
  '%s -> a revocation elsewhere is seen within cacheTtlMs all the same',
  async (_way, prepare) => {
    await prepare();
    const [one, other] = [managerOnDatabase(), managerOnDatabase()];
    const { key, record } = await one.create({ user: 'alice' });
    expect(await other.verify(key)).toMatchObject({ ok: true });

    const writer = await database.client();
    await writer.query('update api_keys set revoked_at = now() where key_id = $1', [record.keyId]);
    await delay(2 * cacheTtlMs);

    expect(await other.verify(key)).toMatchObject({ ok: false, code: 'revoked_api_key' });
  },
);

describe('a watch on a table that does not announce', () => {
  it.each(earlierVersions)(
    'a schema of version %d, which announces nothing -> connected only after migrate()',
    async (version) => {
      await makeSchema(byHand, version);
      const { watcher, store } = watching();
      await delay(300);
      expect(watcher.told).toEqual([]);

      await store.migrate();

      await watcher.until('connected');
      const key = storedKey();
      await store.insert(key);
      await watcher.until(`changed ${key.keyId}`);
    },
  );

  const breaks = [
    'alter table api_keys disable trigger user',
    'alter table api_keys disable trigger announce_update',
    'alter table api_keys disable trigger announce_truncate',
    'drop trigger announce_delete on api_keys',
    // Silent for sessions that write as replicas do; what `pg_restore --disable-triggers` leaves
    // behind.
    'alter table api_keys enable trigger announce_insert',
    'alter table api_keys enable trigger all',
    'alter table api_keys disable trigger announce_replicated',
    'drop function api_keys_announce() cascade',
    `create or replace function api_keys_announce() returns trigger language plpgsql as 'begin return null; end'`,
    'alter function api_keys_announce() security invoker',
    'grant execute on function api_keys_announce() to public',
    'alter function api_keys_announce_row() reset search_path',
    `drop trigger announce_update on api_keys;
      create trigger announce_update after update on api_keys for each statement when (false) execute function api_keys_announce();
      alter table api_keys enable always trigger announce_update`,
    `drop trigger announce_update on api_keys;
      create trigger announce_update after update of name on api_keys for each statement execute function api_keys_announce();
      alter table api_keys enable always trigger announce_update`,
    `drop trigger announce_update on api_keys;
      create trigger announce_update after insert on api_keys for each statement execute function api_keys_announce();
      alter table api_keys enable always trigger announce_update`,
    'create table api_keys_archive () inherits (api_keys)',
    'create table all_keys (key_id text collate "C" not null); alter table api_keys inherit all_keys',
    'alter table api_keys rename to other; create table api_keys (like other including all)',
  ];

  it.each(breaks)(
    '%s -> lost at the next heartbeat, and not said to be connected again',
    async (statement) => {
      await new PostgresKeyStore({ client: byHand }).migrate();
      const { watcher } = watching();
      await watcher.until('alive');

      await byHand.query(statement);

      await watcher.until('disconnected');
      await delay(300);
      expect(watcher.told.at(-1)).toBe('disconnected');
    },
  );

  it('migrate() -> restores what was disabled and dropped, and the watch comes back by itself', async () => {
    await new PostgresKeyStore({ client: byHand }).migrate();
    const { watcher, store } = watching();
    await watcher.until('alive');
    await byHand.query(
      'alter table api_keys disable trigger user; drop trigger announce_delete on api_keys',
    );
    await watcher.until('disconnected');

    await store.migrate();

    await watcher.until('connected', 2);
    const key = storedKey();
    await store.insert(key);
    await watcher.until(`changed ${key.keyId}`);
    await byHand.query('delete from api_keys');
    await watcher.until(`changed ${key.keyId}`, 2);
  });

  it('a revocation between disabling and enabling in one transaction -> lost, so that all is read again', async () => {
    await new PostgresKeyStore({ client: byHand }).migrate();
    const key = storedKey();
    const { watcher, store } = watching();
    await watcher.until('alive');
    await store.insert(key);
    await watcher.until(`changed ${key.keyId}`);

    await byHand.query(`
      begin;
      alter table api_keys disable trigger announce_update;
      update api_keys set revoked_at = now();
      alter table api_keys enable always trigger announce_update;
      commit`);

    await watcher.until('connected', 2);
    expect(watcher.told.filter((each) => each !== 'alive')).toEqual([
      'connected',
      `changed ${key.keyId}`,
      'disconnected',
      'connected',
    ]);
  });

  it.each([
    [
      'its function is another one',
      `create or replace function api_keys_announce() returns trigger language plpgsql as 'begin return null; end'`,
    ],
    ['it has another name', 'alter table api_keys rename to other_keys'],
    ['its schema has another name', 'alter schema public rename to other'],
  ])(
    'a revocation while %s, in one transaction -> lost, so that all is read again',
    async (_what, change) => {
      await new PostgresKeyStore({ client: byHand }).migrate();
      const { rows } = await byHand.query<{ source: string }>(
        `select pg_get_functiondef('api_keys_announce'::regproc) as source`,
      );
      const { watcher, store } = watching();
      await watcher.until('alive');
      await store.insert(storedKey());

      await byHand.query(`begin; ${change}`);
      const table = change.includes('rename to other_keys') ? 'other_keys' : 'api_keys';
      const schema = change.includes('alter schema') ? 'other' : 'public';
      await byHand.query(`update ${schema}.${table} set revoked_at = now()`);
      if (table !== 'api_keys') await byHand.query('alter table other_keys rename to api_keys');
      if (schema !== 'public') await byHand.query('alter schema other rename to public');
      await byHand.query(`${rows[0]!.source}; commit`);

      await watcher.until('connected', 2);
      expect((await store.inspect()).state).toBe('ready');
    },
  );

  it('for a while -> one warning, with the table and the remedy', async () => {
    const mark = warnings.mark();
    await makeSchema(byHand, 2, 'silent');
    const { watcher, store } = watching('silent');
    watching('silent');
    await delay(500);
    await store.migrate();
    await watcher.until('alive');
    await byHand.query('alter table silent disable trigger user');
    await watcher.until('disconnected');
    await delay(200);

    const said = (await warnings.since(mark)).filter((message) =>
      message.includes('public.silent'),
    );

    expect(said).toEqual([
      'PostgresKeyStore: changes to public.silent may go unannounced: its triggers are missing, disabled or not this ' +
        "version's, or it inherits from another table or another from it. Until that is fixed, cached keys are trusted for " +
        '"cacheTtlMs" only. Run migrate().',
    ]);
  });
});

it('a watch on a table that does not exist -> one warning that says so, with the command that makes it', async () => {
  const mark = warnings.mark();
  const { watcher, store } = watching('absent');
  watching('absent');
  await delay(500);
  await store.migrate();
  await watcher.until('alive');

  const said = (await warnings.since(mark)).filter((message) =>
    message.includes('no table public.absent'),
  );

  expect(said).toEqual([
    'PostgresKeyStore: there is no table public.absent; run migrate() or, for this schema and table, "npx require-api-key migrate".',
  ]);
});

it('a role that may only select and note the last use -> watches', async () => {
  await new PostgresKeyStore({ client: byHand }).migrate();
  const role = `watching_${randomBytes(4).toString('hex')}`;
  await byHand.query(`
    create role ${role};
    grant usage on schema public to ${role};
    grant select, update (last_used_at) on api_keys to ${role}`);
  onTestFinished(async () => {
    await byHand.query(`drop owned by ${role}; drop role ${role}`);
  });
  const { watcher } = watching('api_keys', database.pool({ options: `-c role=${role}` }));

  await watcher.until('alive');

  expect(watcher.told).not.toContain('disconnected');
});

it('a warm key that is revoked while triggers are off for a moment -> refused within a heartbeat and cacheTtlMs', async () => {
  await new PostgresKeyStore({ client: byHand }).migrate();
  // Longer than a busy machine takes to migrate.
  const heartbeatMs = 3_000;
  const store = new PostgresKeyStore({ client: pool, heartbeatMs });
  const keys = new ApiKeyManager({ store, cacheTtlMs });
  onTestFinished(() => keys.close());
  const { key } = await keys.create({ user: 'alice' });
  expect(await keys.verify(key)).toMatchObject({ ok: true });

  await byHand.query('alter table api_keys disable trigger user');
  await byHand.query('update api_keys set revoked_at = now()');
  await store.migrate();
  expect(await keys.verify(key)).toMatchObject({ ok: true });
  await delay(heartbeatMs + cacheTtlMs);

  // Its next heartbeat may be late on a busy machine.
  await expect
    .poll(() => keys.verify(key), { timeout: 5_000 })
    .toMatchObject({ ok: false, code: 'revoked_api_key' });
});

it('a table that is locked for a while -> does not hold the watch up', async () => {
  await new PostgresKeyStore({ client: byHand }).migrate();
  const { watcher } = watching();
  await watcher.until('alive');
  await byHand.query('begin; lock table api_keys in access exclusive mode');
  const before = watcher.told.length;
  await delay(200);
  await byHand.query('commit');

  expect(watcher.told.slice(before)).toContain('alive');
  expect(watcher.told).not.toContain('disconnected');
});

it('rows written as a replica does -> announced like others, a last use is not', async () => {
  await new PostgresKeyStore({ client: byHand }).migrate();
  const { watcher, store } = watching();
  await watcher.until('connected');
  const replica = await database.client({ options: '-c session_replication_role=replica' });
  const { keyId, digest } = storedKey();

  await replica.query(`insert into api_keys (key_id, user_name, digest) values ($1, 'alice', $2)`, [
    keyId,
    digest,
  ]);
  await replica.query('update api_keys set last_used_at = now()');
  await replica.query('update api_keys set revoked_at = now()');
  await replica.query('delete from api_keys');
  await replica.query('truncate api_keys');
  await store.insert(storedKey({ keyId: 'key_last' }));

  await watcher.until('changed key_last');
  expect(watcher.changes).toEqual([keyId, keyId, keyId, '', 'key_last']);
});

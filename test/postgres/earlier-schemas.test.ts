import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, digestApiKey, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { prepare } from '../../src/stores/postgres/schema/migrate.js';
import { migrations } from '../../src/stores/postgres/schema/migrations.js';
import { createNames } from '../../src/stores/postgres/names.js';
import { dollarQuote } from '../../src/stores/postgres/quote.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey } from '../support/stored-key.js';
import { earlierVersions, latestVersion, makeSchema } from './earlier-schema.js';

const database = await createDatabase();
const pool = database.pool();
const store = new PostgresKeyStore({ client: pool });
const digest = `sha256:${'0'.repeat(64)}`;
const others = Array.from({ length: 5 }, () => new PostgresKeyStore({ client: database.pool() }));
const migrateByFive = () => Promise.all(others.map((other) => other.migrate()));

beforeEach(async () => {
  await pool.query('drop schema public cascade; create schema public');
});

const insertClaim = (id: string, tokenDigest: string) =>
  pool.query(
    `insert into api_keys_claims (claim_id, token_digest, user_name, expires_at) values ($1, $2, 'alice', now())`,
    [id, tokenDigest],
  );

/** Columns, constraints, indexes and triggers, and whether each of them works. */
async function parts(): Promise<string[]> {
  const { rows } = await pool.query<{ part: string }>(`
    select format('%s.%s %s %s', table_name, column_name, data_type, column_default) as part
      from information_schema.columns where table_schema = 'public'
    union all select format('%s %s %s', conname, pg_get_constraintdef(oid), convalidated) from pg_constraint
      where connamespace = 'public'::regnamespace
    union all select indexdef from pg_indexes where schemaname = 'public'
    union all select format('%s %s', pg_get_triggerdef(oid), tgenabled) from pg_trigger where not tgisinternal
    union all select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
    union all select format('version %s', version) from api_keys_migrations
    order by part`);
  // Written differently, not a different schema: the steps indent and quote.
  return rows.map(({ part }) => part.replaceAll(/\s+/g, ' ').replaceAll('"', '')).toSorted();
}

it.each(migrations)(
  'the step to version $version, on the schema before it -> makes what it made when it was written',
  async ({ version, sql }) => {
    await makeSchema(pool, version);
    const then = await parts();
    await pool.query('drop schema public cascade; create schema public');

    await makeSchema(pool, version - 1);
    const names = createNames('public', 'api_keys');
    const first = version === 1 ? prepare(names) : '';
    const done = `insert into api_keys_migrations (version) values (${version});`;
    await pool.query(`do ${dollarQuote(`begin ${first} ${sql(names)} ${done} end`)}`);

    expect(await parts()).toEqual(then);
  },
);

describe('the schema of an earlier version', () => {
  it.each(earlierVersions)(
    'version %d with rows in it, upgraded by five at once, twice -> as if it were made today, rows kept',
    async (version) => {
      await store.migrate();
      const today = await parts();
      await pool.query('drop schema public cascade; create schema public');
      await makeSchema(pool, version);
      const keys = Array.from({ length: 20 }, () => storedKey());
      for (const key of keys) await store.insert(key);
      if (version >= 2) await insertClaim('before', digest);

      for (let round = 0; round < 2; round++) {
        await migrateByFive();
      }

      expect(await parts()).toEqual(today);
      for (const key of keys) expect(await store.findByDigest(key.digest)).toEqual(key);
      const { rows } = await pool.query('select claim_id, token_digest from api_keys_claims');
      expect(rows).toEqual(version >= 2 ? [{ claim_id: 'before', token_digest: digest }] : []);
    },
  );

  it('version 3, whose keys are in use -> after migrate all work as before: old, rotated, revoked, claim link', async () => {
    await makeSchema(pool, 3);
    const [old, next, gone] = [generateApiKey(), generateApiKey(), generateApiKey()];
    const insert = (key: typeof old, columns: string, values: string) =>
      pool.query(
        `insert into api_keys (key_id, digest, user_name, scopes, metadata ${columns})
         values ($1, $2, 'alice', '{audio:read}', '{"team":1}' ${values})`,
        [key.keyId, key.digest],
      );
    await insert(old, '', '');
    await insert(next, ', replaces, overlap_ms', `, '${old.keyId}', 3600000`);
    await insert(gone, ', revoked_at', ', now()');
    const token = 't'.repeat(43);
    await pool.query(
      `insert into api_keys_claims (claim_id, token_digest, user_name, expires_at)
       values ('claim_1', $1, 'bob', now() + interval '1 hour')`,
      [digestApiKey(token)],
    );
    expect(await store.inspect()).toEqual({ state: 'older', version: 3 });
    await store.migrate();
    expect(await store.inspect()).toEqual({ state: 'ready', version: latestVersion });

    const keys = new ApiKeyManager({ store });
    onTestFinished(() => keys.close());
    expect(await keys.verify(old.key)).toMatchObject({ ok: true, apiKey: { user: 'alice' } });
    expect(await keys.verify(next.key)).toMatchObject({
      ok: true,
      apiKey: { scopes: ['audio:read'] },
    });
    expect(await keys.verify(gone.key)).toEqual({ ok: false, code: 'revoked_api_key' });
    expect((await keys.claim(token)).record.user).toBe('bob');
    // The first use of the successor began the overlap.
    await vi.waitFor(async () => {
      const { replacedBy, expiresAt, metadata } = (await keys.get(old.keyId))!;
      expect({ replacedBy, metadata }).toEqual({ replacedBy: next.keyId, metadata: { team: 1 } });
      expect(expiresAt!.getTime() - Date.now()).toBeLessThanOrEqual(3_600_000);
    });
    expect((await keys.history({ keyId: gone.keyId })).map(({ what }) => what)).toEqual([]);
  });
});

it.each([
  ['a digit too few', digest.slice(0, -1)],
  ['a digit too many', `${digest}0`],
  ['upper-case digits', `sha256:${'A'.repeat(64)}`],
  ['no algorithm', 'a'.repeat(71)],
  ['a line more', `${digest.slice(0, -1)}\n`],
])('a claim link whose digest has %s -> refused by the table', async (_what, wrong) => {
  await store.migrate();
  await insertClaim('right', digest);

  await expect(insertClaim('wrong', wrong)).rejects.toThrow('api_keys_claims_digest_check');
});

it('functions of triggers that are only indented otherwise -> ready, and left as they are', async () => {
  await store.migrate();
  for (const name of ['announce', 'announce_row', 'first_use']) {
    const { rows } = await pool.query<{ source: string }>(
      `select pg_get_functiondef('api_keys_${name}'::regproc) as source`,
    );
    await pool.query(rows[0]!.source.replaceAll('\n', '\r\n\t'));
  }
  const before = await parts();

  expect(await store.inspect()).toEqual({ state: 'ready', version: latestVersion });
  await store.migrate();

  expect(await parts()).toEqual(before);
});

it.each([
  ['another table inherits from', 'create table api_keys_archive () inherits (api_keys)'],
  [
    'that inherits from another',
    'create table all_keys (key_id text collate "C" not null); alter table api_keys inherit all_keys',
  ],
])('a table %s -> disarmed, and migrate() says what to do', async (_what, statement) => {
  await store.migrate();
  await pool.query(statement);

  expect(await store.inspect()).toMatchObject({ state: 'disarmed' });
  await expect(store.migrate()).rejects.toThrow(
    /public\.api_keys inherits from .*"alter table \.\.\. no inherit \.\.\." first/,
  );
});

describe('triggers that were changed, disabled or dropped', () => {
  const breaks = [
    'alter table api_keys disable trigger user',
    'alter table api_keys enable trigger user',
    'alter table api_keys disable trigger first_use',
    'drop trigger first_use on api_keys; drop trigger announce_replicated on api_keys',
    'drop function api_keys_announce() cascade',
    `create or replace function api_keys_announce_row() returns trigger language plpgsql as 'begin return null; end'`,
    `create or replace function api_keys_first_use() returns trigger language plpgsql security definer
      set search_path = pg_catalog, pg_temp as 'begin return null; end'`,
    'alter function api_keys_first_use() security invoker',
    'alter function api_keys_announce() set search_path = public',
    `drop trigger announce_delete on api_keys;
      create trigger announce_delete after delete on api_keys for each statement when (false) execute function api_keys_announce();
      alter table api_keys enable always trigger announce_delete`,
  ];

  it.each(breaks)(
    '%s -> inspected as disarmed; migrate(), by five at once, restores them',
    async (statement) => {
      await store.migrate();
      const before = await parts();
      const key = storedKey();
      await store.insert(key);
      await pool.query(statement);

      expect(await store.inspect()).toEqual({ state: 'disarmed', version: latestVersion });
      await migrateByFive();

      expect(await store.inspect()).toEqual({ state: 'ready', version: latestVersion });
      expect(await parts()).toEqual(before);
      expect(await store.findByDigest(key.digest)).toEqual(key);
    },
  );

  it('something that disables them whenever they are made -> migrate() gives up and says so', async () => {
    await store.migrate();
    await pool.query(`
      create function meddle() returns event_trigger language plpgsql as
        $$ begin alter table public.api_keys disable trigger first_use; end $$;
      alter table api_keys disable trigger first_use;
      create event trigger meddle on ddl_command_end when tag in ('CREATE TRIGGER') execute function meddle();`);
    onTestFinished(async () => {
      await pool.query('drop event trigger meddle');
    });

    await expect(store.migrate()).rejects.toThrow(
      'the triggers of public.api_keys are dropped or disabled',
    );
  });
});

describe('a first use that was written while no trigger fired', () => {
  it('triggers on again -> the next use ends the key before, counted from that', async () => {
    await store.migrate();
    const [old, next] = [storedKey(), storedKey()];
    await store.insert(old);
    await store.rotate(old.keyId, next, { overlapMs: 1_000, startsAt: 'first-use' });
    await pool.query('alter table api_keys disable trigger first_use');
    await store.touch([{ keyId: next.keyId, usedAt: new Date('2026-03-01T00:00:00Z') }]);
    expect((await store.get(old.keyId))?.expiresAt).toBeUndefined();

    await store.migrate();
    await store.touch([{ keyId: next.keyId, usedAt: new Date('2026-03-01T00:01:00Z') }]);

    expect((await store.get(old.keyId))?.expiresAt).toEqual(new Date('2026-03-01T00:01:01Z'));
    expect((await store.get(next.keyId))?.overlapMs).toBeUndefined();
  });
});

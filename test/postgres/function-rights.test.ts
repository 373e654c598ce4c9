import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey } from '../support/stored-key.js';
import { earlierVersions, makeSchema } from './earlier-schema.js';

const database = await createDatabase();
const admin = database.pool();
const store = new PostgresKeyStore({ client: admin });
const functions = [
  'announce',
  'announce_row',
  'first_use',
  'record_claim',
  'record_key',
  'record_keys',
].map((name) => `api_keys_${name}()`);

beforeEach(async () => {
  await admin.query(
    'drop schema public cascade; create schema public; grant usage on schema public to public',
  );
});

/** A role of the test's own: roles belong to the whole server. */
async function makeRole(): Promise<string> {
  const role = `role_${randomBytes(4).toString('hex')}`;
  await admin.query(`create role ${role}`);
  onTestFinished(async () => {
    await admin.query(
      `reassign owned by ${role} to postgres; drop owned by ${role}; drop role ${role}`,
    );
  });
  return role;
}

/** Who may execute what, besides the owner, and who owns it. */
async function rights(): Promise<unknown> {
  const { rows } = await admin.query(`
    select p.proname, p.proowner::regrole::text as owner, array(
        select case when a.grantee = 0 then 'public' else a.grantee::regrole::text end
        from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee <> p.proowner) as others
    from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prorettype = 'trigger'::regtype order by 1`);
  return rows;
}

const guarded = functions.map((name) => ({
  proname: name.replace('()', ''),
  owner: 'postgres',
  others: [],
}));

describe('who may execute or own the functions of the triggers', () => {
  it.each(functions)(
    '%s granted to everybody, as after a restore without grants -> disarmed, and restored',
    async (name) => {
      await store.migrate();
      expect(await rights()).toEqual(guarded);
      await admin.query(`grant execute on function ${name} to public`);

      expect((await store.inspect()).state).toBe('disarmed');
      await store.migrate();

      expect((await store.inspect()).state).toBe('ready');
      expect(await rights()).toEqual(guarded);
    },
  );

  it('granted to a role, with the option to pass it on -> disarmed, and taken from all', async () => {
    await store.migrate();
    const [one, other] = [await makeRole(), await makeRole()];
    await admin.query(`grant execute on function api_keys_first_use() to ${one} with grant option;
      set role ${one}; grant execute on function api_keys_first_use() to ${other}; reset role`);

    expect((await store.inspect()).state).toBe('disarmed');
    await store.migrate();

    expect(await rights()).toEqual(guarded);
  });

  it('default privileges that give functions to a role -> migrate() takes them away from it', async () => {
    const role = await makeRole();
    await admin.query(
      `alter default privileges in schema public grant execute on functions to ${role}`,
    );

    await store.migrate();

    expect((await store.inspect()).state).toBe('ready');
    expect(await rights()).toEqual(guarded);
  });

  it.each(functions)('%s given to another role -> disarmed, and taken back', async (name) => {
    await store.migrate();
    const role = await makeRole();
    await admin.query(
      `grant create on schema public to ${role}; alter function ${name} owner to ${role}`,
    );

    expect((await store.inspect()).state).toBe('disarmed');
    await store.migrate();

    expect((await store.inspect()).state).toBe('ready');
    expect(await rights()).toEqual(guarded);
  });

  it('a function of that name that somebody else made before -> belongs to who migrates', async () => {
    const role = await makeRole();
    await admin.query(`grant create on schema public to ${role}; set role ${role};
      create function api_keys_first_use() returns trigger language plpgsql as 'begin return null; end';
      reset role`);

    await store.migrate();

    expect((await store.inspect()).state).toBe('ready');
    expect(await rights()).toEqual(guarded);
  });

  it.each([
    'alter function api_keys_announce() stable',
    'alter function api_keys_first_use() immutable',
  ])('%s -> disarmed, and restored', async (statement) => {
    await store.migrate();
    await admin.query(statement);

    expect((await store.inspect()).state).toBe('disarmed');
    await store.migrate();

    expect((await store.inspect()).state).toBe('ready');
  });

  it('the whole set-up given to a role that owns it -> ready', async () => {
    await store.migrate();
    const role = await makeRole();
    await admin
      .query(`grant create on schema public to ${role}; reassign owned by postgres to ${role}`)
      .catch(() => {});
    await admin.query(
      ['api_keys', 'api_keys_claims', 'api_keys_migrations']
        .map((table) => `alter table ${table} owner to ${role};`)
        .join(''),
    );
    for (const name of functions) await admin.query(`alter function ${name} owner to ${role}`);

    expect((await store.inspect()).state).toBe('ready');
  });
});

it.each([...earlierVersions])(
  'a database of version %d, upgraded after a restore without grants -> the functions are the owner’s alone',
  async (version) => {
    await makeSchema(admin, version);
    await admin.query(
      version < 3 ? 'select 1' : 'grant execute on function api_keys_first_use() to public',
    );

    await store.migrate();

    expect(await rights()).toEqual(guarded);
  },
);

it('a table of somebody else with the function as its trigger -> refused, and no key has ended', async () => {
  await store.migrate();
  const key = storedKey();
  await store.insert(key);
  const role = await makeRole();
  await admin.query(`grant execute on function api_keys_first_use() to public;
    grant temporary on database "${new URL(database.url).pathname.slice(1)}" to ${role};
    grant select, update (last_used_at) on api_keys to ${role}`);
  const client = await database.client({ options: `-c role=${role}` });
  await client.query(`
    create temporary table bait (key_id text, replaces text, last_used_at timestamptz, overlap_ms bigint);
    create trigger bait after insert on bait for each row execute function public.api_keys_first_use()`);

  await expect(
    client.query(`insert into bait values ('x', $1, now() - interval '1 day', 0)`, [key.keyId]),
  ).rejects.toThrow('for another table');
  expect((await store.get(key.keyId))?.expiresAt).toBeUndefined();
});

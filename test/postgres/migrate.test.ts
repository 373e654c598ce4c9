import { beforeEach, describe, expect, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { Database, Executor } from '../../src/stores/postgres/database.js';
import { migrate } from '../../src/stores/postgres/schema/migrate.js';
import { migrations } from '../../src/stores/postgres/schema/migrations.js';
import { createNames } from '../../src/stores/postgres/names.js';
import { createDatabase } from '../support/postgres.js';
import { recordOf, storedKey } from '../support/stored-key.js';

const database = await createDatabase();
const pool = database.pool({ max: 12 });
let schema: string;
let count = 0;
const sessionOf = (name: string) =>
  new Executor(new Database(pool), createNames(name, 'api_keys'), 0);
const storeOf = (options = {}) => new PostgresKeyStore({ client: pool, schema, ...options });

beforeEach(() => {
  schema = `schema ${++count} "x"`;
});

describe('migrate', () => {
  it('an empty database -> schema, table and version; again -> nothing', async () => {
    const store = storeOf();

    expect(await store.inspect()).toEqual({ state: 'missing', version: 0 });
    await store.migrate();
    await store.migrate();

    expect(await store.inspect()).toEqual({ state: 'ready', version: migrations.length });
    const key = storedKey();
    expect(await store.insert(key)).toEqual(recordOf(key));
  });

  it.each(['api keys', `o'neil`, 'a"b', '$body$', 't'.repeat(43), 'é'.repeat(21), 'select', 'A.b'])(
    'a table called %s -> works like any other',
    async (table) => {
      const store = storeOf({ table });
      const key = storedKey();

      await store.migrate();
      await store.insert(key);
      await store.touch([{ keyId: key.keyId, usedAt: new Date() }]);

      expect(await store.inspect()).toMatchObject({ state: 'ready' });
      expect((await store.revoke(key.keyId, new Date(), { family: true })).length).toBe(1);
    },
  );

  it('ten pools at once -> all succeed, each step once', async () => {
    await Promise.all(
      Array.from({ length: 10 }, () =>
        new PostgresKeyStore({ client: database.pool(), schema }).migrate(),
      ),
    );

    const { rows } = await pool.query(
      `select version from "${schema.replaceAll('"', '""')}".api_keys_migrations order by version`,
    );
    expect(rows.map(({ version }: { version: number }) => version)).toEqual(
      migrations.map(({ version }) => version),
    );
  });

  it('ten pools at once whose transactions are repeatable reads -> all succeed', async () => {
    const options = '-c default_transaction_isolation=repeatable\\ read';

    await Promise.all(
      Array.from({ length: 10 }, () =>
        new PostgresKeyStore({ client: database.pool({ options }), schema }).migrate(),
      ),
    );

    expect(await storeOf().inspect()).toMatchObject({ state: 'ready' });
  });

  it('a newer schema -> refused, and told apart', async () => {
    const store = storeOf();
    await store.migrate();
    await pool.query(
      `insert into "${schema.replaceAll('"', '""')}".api_keys_migrations (version) values (99)`,
    );

    expect(await store.inspect()).toEqual({ state: 'newer', version: 99 });
    await expect(store.migrate()).rejects.toThrow(/version 99, newer than this library knows/);
    await expect(store.adopt()).rejects.toThrow(/newer/);
  });

  it('a step that fails -> undone as a whole, and the error says so', async () => {
    const session = sessionOf(schema);
    const broken = {
      version: 1,
      sql: () => `${migrations[0]!.sql(session.names)} select no_such_thing();`,
    };

    await expect(migrate(session, [broken])).rejects.toThrow(/no_such_thing/);

    expect(await storeOf().inspect()).toEqual({ state: 'missing', version: 0 });
    await storeOf().migrate();
  });

  it('a table of something else -> refused, untouched', async () => {
    const table = `orders_${count}`;
    await pool.query(`create table ${table} (id int)`);
    const store = new PostgresKeyStore({ client: pool, table });

    expect(await store.inspect()).toEqual({ state: 'unrelated', version: 0 });
    await expect(store.migrate()).rejects.toThrow(/not a table of keys/);
    await expect(store.adopt()).rejects.toThrow(/not a table of keys/);
  });

  it('a plaintext table -> refused with the way on', async () => {
    const table = `plain_${count}`;
    await pool.query(`create table ${table} (api_key text)`);
    const store = new PostgresKeyStore({ client: pool, table });

    expect(await store.inspect()).toEqual({ state: 'plaintext', version: 0 });
    await expect(store.migrate()).rejects.toThrow(/run adopt\(\)/);
    await expect(store.findByDigest('sha256:x')).rejects.toThrow(/run migrate\(\), or adopt\(\)/);
  });

  it('a table that was dropped by hand -> made again', async () => {
    const store = storeOf();
    await store.migrate();
    await pool.query(`drop table "${schema.replaceAll('"', '""')}".api_keys cascade`);

    expect(await store.inspect()).toEqual({ state: 'missing', version: 0 });
    await store.migrate();

    expect(await store.inspect()).toMatchObject({ state: 'ready' });
  });

  it('no table -> look-ups say what to do, and it works without a restart once it is there', async () => {
    const store = storeOf();

    await expect(store.findByDigest('sha256:x')).rejects.toThrow(/run migrate\(\)/);
    await store.migrate();

    expect(await store.findByDigest('sha256:x')).toBeUndefined();
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createNames } from '../../src/stores/postgres/names.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey, successor } from '../support/stored-key.js';
import { recordingWatcher } from '../support/watcher.js';

const database = await createDatabase();
const pool = database.pool();
const byHand = await database.client();
const long = 't'.repeat(43);

const tables = (table: string) =>
  ['', '_claims', '_migrations'].map((ending) => `${table}${ending}`);

const moves: [how: string, from: [string, string], to: [string, string], statements: string[]][] = [
  [
    'moved into another schema',
    ['public', 'api_keys'],
    ['app', 'api_keys'],
    [
      'create schema app',
      ...tables('api_keys').map((table) => `alter table ${table} set schema app`),
    ],
  ],
  [
    'taken along by its schema to another name',
    ['old', 'api_keys'],
    ['new', 'api_keys'],
    ['alter schema old rename to new'],
  ],
  [
    'renamed',
    ['public', 'keys_v2'],
    ['public', 'keys'],
    tables('keys_v2').map((table) => `alter table ${table} rename to ${table.replace('_v2', '')}`),
  ],
  [
    'given names so long that their channel is hashed',
    ['public', 'short'],
    ['s'.repeat(63), long],
    [
      `create schema ${'s'.repeat(63)}`,
      ...tables('short').flatMap((table) => [
        `alter table ${table} rename to ${table.replace('short', long)}`,
        `alter table ${table.replace('short', long)} set schema ${'s'.repeat(63)}`,
      ]),
    ],
  ],
];

it.each(moves)(
  'a table that is %s -> announces by its new name at once; inspected as disarmed until migrate() has bound its first uses',
  async (...[, [oldSchema, oldTable], [schema, table], statements]) => {
    await new PostgresKeyStore({ client: pool, schema: oldSchema, table: oldTable }).migrate();
    for (const statement of statements) await byHand.query(statement);
    const store = new PostgresKeyStore({ client: pool, schema, table, heartbeatMs: 30 });
    const watcher = recordingWatcher();
    const watch = store.watch!(watcher);
    onTestFinished(() => watch.close());
    await watcher.until('alive');
    const key = storedKey();
    await store.insert(key);
    await watcher.until(`changed ${key.keyId}`);
    expect((await store.inspect()).state).toBe('disarmed');

    await store.migrate();

    expect((await store.inspect()).state).toBe('ready');
    await watcher.until('connected', 2);
    const next = successor(key.createdAt);
    await store.rotate(key.keyId, next, { overlapMs: 5, startsAt: 'first-use' });
    await store.touch([{ keyId: next.keyId, usedAt: key.createdAt }]);
    expect((await store.get(key.keyId))?.expiresAt).toEqual(new Date(key.createdAt.getTime() + 5));
    await byHand.query(`delete from ${createNames(schema, table).keys}`);
    await watcher.until(`changed ${next.keyId}`, 2);
  },
);

it('a table renamed to one whose name another had before -> a revocation elsewhere is seen within a second', async () => {
  const [named, renamed] = ['taken', 'spare'].map(
    (table) => new PostgresKeyStore({ client: pool, table }),
  );
  for (const store of [named!, renamed!]) await store.migrate();
  for (const table of tables('taken'))
    await byHand.query(`alter table ${table} rename to ${table}_before`);
  for (const table of tables('spare'))
    await byHand.query(`alter table ${table} rename to ${table.replace('spare', 'taken')}`);
  const managers = [1, 2].map(
    () =>
      new ApiKeyManager({
        store: new PostgresKeyStore({ client: database.pool(), table: 'taken' }),
        cacheTtlMs: 60_000,
      }),
  );
  onTestFinished(async () => void (await Promise.all(managers.map((keys) => keys.close()))));
  const [one, other] = managers as [ApiKeyManager, ApiKeyManager];
  const { key, record } = await one.create({ user: 'alice' });
  expect(await other.verify(key)).toMatchObject({ ok: true });

  await one.revoke(record.keyId);
  await delay(1_000);

  expect(await other.verify(key)).toMatchObject({ ok: false, code: 'revoked_api_key' });
});

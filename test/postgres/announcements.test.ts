import { beforeAll, beforeEach, expect, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey, successor } from '../support/stored-key.js';
import { recordingWatcher } from '../support/watcher.js';

const database = await createDatabase();
const store = new PostgresKeyStore({ client: database.pool() });
// What somebody does in psql comes over a connection that knows nothing of the store.
const byHand = await database.client();
const listener = await database.client();
const heard: string[] = [];
const now = new Date();
let keyId: string;

beforeAll(async () => {
  await store.migrate();
  listener.on('notification', ({ payload }) => void heard.push(payload ?? ''));
  await listener.query('listen "require_api_key:public.api_keys"');
});

beforeEach(async () => {
  const key = storedKey();
  keyId = key.keyId;
  await store.insert(key);
  await settled();
  heard.length = 0;
});

/** Whatever was announced before has been heard when this is over. */
async function settled(): Promise<void> {
  await byHand.query(`select pg_notify('require_api_key:public.api_keys', 'settled')`);
  await expect.poll(() => heard.at(-1)).toBe('settled');
  heard.pop();
}

async function heardOf(statement: string, values: unknown[] = []): Promise<string[]> {
  await byHand.query(statement, values);
  await settled();
  return heard.toSorted();
}

it('an insert by hand -> announced', async () => {
  const { digest } = storedKey();

  expect(
    await heardOf(
      `insert into api_keys (key_id, user_name, digest) values ('key_hand', 'alice', $1)`,
      [digest],
    ),
  ).toEqual(['key_hand']);
});

it.each([
  'revoked_at = now()',
  'expires_at = now()',
  `scopes = '{a}'`,
  `metadata = '{"a": 1}'`,
  `name = 'x'`,
  `user_name = 'bob'`,
  `digest = 'sha256:' || repeat('0', 64)`,
  `last_used_at = now(), name = 'x'`,
])('an update of %s by hand -> announced', async (assignment) => {
  expect(await heardOf(`update api_keys set ${assignment} where key_id = $1`, [keyId])).toEqual([
    keyId,
  ]);
});

it('an update of last_used_at alone, or to what it was -> not announced', async () => {
  await heardOf('update api_keys set last_used_at = now()');
  await heardOf('update api_keys set name = name, revoked_at = revoked_at');
  await store.touch([{ keyId, usedAt: now }]);
  await settled();

  expect(heard).toEqual([]);
});

it('a changed key id -> the old and the new are announced', async () => {
  expect(await heardOf(`update api_keys set key_id = 'key_zz' where key_id = $1`, [keyId])).toEqual(
    [keyId, 'key_zz'],
  );
});

it('a delete by hand -> announced', async () => {
  expect(await heardOf('delete from api_keys where key_id = $1', [keyId])).toEqual([keyId]);
});

it('truncate -> everything', async () => {
  expect(await heardOf('truncate api_keys')).toEqual(['']);
});

it('what the store does -> announced', async () => {
  const next = successor(now);
  const last = successor(now);
  await store.update(keyId, { name: 'x' });
  await store.rotate(keyId, next, { overlapMs: 1, startsAt: 'first-use' });
  await store.touch([{ keyId: next.keyId, usedAt: now }]);
  await store.rotate(next.keyId, last, { overlapMs: 1, startsAt: 'now' });
  await store.revoke(last.keyId, now, { family: false });
  await store.prune(new Date(now.getTime() + 60_000));
  await settled();

  expect(heard[0]).toBe(keyId);
  expect(heard[1]).toBe(next.keyId);
  expect(heard.slice(2, 4).toSorted()).toEqual([keyId, next.keyId].toSorted());
  expect(new Set(heard)).toEqual(new Set([keyId, next.keyId, last.keyId]));
});

it('a change that is rolled back -> not announced', async () => {
  await byHand.query('begin');
  await byHand.query('update api_keys set revoked_at = now()');
  await byHand.query('rollback');
  await settled();

  expect(heard).toEqual([]);
});

it('a thousand rows in one statement -> each; one more -> everything, once', async () => {
  await byHand.query('delete from api_keys');
  const insert = `insert into api_keys (key_id, user_name, digest)
    select 'key_' || n, 'bulk', 'sha256:' || encode(sha256(n::text::bytea), 'hex') from generate_series($1::int, $2::int) n`;
  await settled();
  heard.length = 0;

  expect(new Set(await heardOf(insert, [1, 1000])).size).toBe(1_000);
  heard.length = 0;
  expect(await heardOf(`update api_keys set name = 'x'`)).toHaveLength(1_000);
  heard.length = 0;
  expect(await heardOf(insert, [1001, 2001])).toEqual(['']);
  heard.length = 0;
  expect(await heardOf(`update api_keys set name = 'y'`)).toEqual(['']);
  heard.length = 0;
  expect(await heardOf('delete from api_keys')).toEqual(['']);
});

it.each([
  [
    'inserted',
    `insert into api_keys (key_id, user_name, digest)
    select 'key_' || n, 'bulk', 'sha256:' || encode(sha256(n::text::bytea), 'hex')
    from generate_series(1, 2000) n`,
  ],
  ['changed', `update api_keys set name = 'z'`],
  ['deleted', 'delete from api_keys'],
])(
  '2 000 rows %s at once -> the trigger that announces works once, not once a row',
  async (_how, statement) => {
    const { rows } = await byHand.query(`explain (analyze, format json) ${statement}`);
    const triggers = rows[0]['QUERY PLAN'][0].Triggers as {
      'Trigger Name': string;
      Calls: number;
    }[];
    const announcing = triggers.filter((trigger) =>
      trigger['Trigger Name'].startsWith('announce_'),
    );

    expect(announcing.map(({ Calls: calls }) => calls)).toEqual([1]);
  },
);

it('two tables of one database -> each hears its own', async () => {
  const other = new PostgresKeyStore({ client: database.pool(), table: 'other' });
  await other.migrate();
  const watcher = recordingWatcher();
  const watch = other.watch!(watcher);
  await watcher.until('connected');
  const key = storedKey();

  await store.insert(storedKey());
  await other.insert(key);

  await watcher.until(`changed ${key.keyId}`);
  expect(watcher.changes).toEqual([key.keyId]);
  await watch.close();
});

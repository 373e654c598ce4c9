import pg from 'pg';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import type { StoredClaim } from '../../src/stores/claim-store.js';
import type { StoredKey } from '../../src/stores/key-record.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey, successor } from '../support/stored-key.js';
import { recordingWatcher } from '../support/watcher.js';

const database = await createDatabase();
const admin = database.pool();
const now = new Date();
const soon = new Date(now.getTime() + 60_000);

/** Every statement that the stores here send, on whichever connection. */
const sent: string[] = [];

class RecordingClient extends pg.Client {
  // oxlint-disable-next-line typescript/no-explicit-any
  override query(...args: any[]): any {
    if (typeof args[0] === 'string') sent.push(args[0]);
    // oxlint-disable-next-line typescript/no-unsafe-return
    return super.query(...(args as [string]));
  }
}

const types =
  `text varchar bpchar name "char" bool int2 int4 int8 float4 float8 numeric oid regclass regproc xid tid timestamptz
  timestamp date interval json jsonb bytea text[] int2vector oidvector`.split(/\s+/);
const operators = '= <> < <= > >= + - * / || ~ ~* ~~ ~~*'.split(' ');

// Whatever is taken in the place of what is meant gives a point: that fails when the statement is
// read, also where nothing is computed.
beforeAll(async () => {
  const list = (names: readonly string[]) =>
    `array[${names.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ')}]`;
  await admin.query(`
    create schema planted;
    do $$
    declare l text; r text; o text;
    begin
      foreach l in array ${list(types)} loop
        foreach r in array ${list(types)} loop
          execute format('create function planted.trap(%s, %s) returns point language plpgsql as
            ''begin raise exception ''''hijacked''''; end''', l, r);
          foreach o in array ${list(operators)} loop
            if not exists (select from pg_operator where oprname = o
                and oprleft = l::regtype and oprright = r::regtype) then
              execute format('create operator planted.%s (leftarg = %s, rightarg = %s, function = planted.trap)', o, l, r);
            end if;
          end loop;
        end loop;
      end loop;
    end $$;
    create function planted.json_build_object(text, text, text, text, text, text, text, text[], text, jsonb, text, numeric,
      text, numeric, text, numeric, text, numeric, text, numeric, text, numeric, text, text[], text, text, text, bigint,
      text, text) returns json
      language plpgsql as 'begin raise exception ''hijacked''; end';`);
});

function storeOf(table: string, searchPath: string) {
  const options = `-c search_path=${searchPath}`;
  const client = database.pool({ options, Client: RecordingClient });
  return { client, store: new PostgresKeyStore({ client, table, heartbeatMs: 20 }) };
}

async function useAll(table: string, searchPath: string): Promise<void> {
  const { client, store } = storeOf(table, searchPath);
  await store.migrate();
  const watcher = recordingWatcher();
  const watch = store.watch!(watcher);
  onTestFinished(() => watch.close());
  await watcher.until('alive');
  const [key, other] = [
    storedKey({ name: 'laptop', scopes: ['a'], metadata: { a: 1 }, expiresAt: soon }),
    storedKey({ revokedAt: now, overlapMs: 5, replaces: 'gone' }),
  ];
  for (const each of [key, other]) await store.insert(each);
  await expect(store.insert(key)).rejects.toMatchObject({ code: 'duplicate_key' });
  expect(await store.findByDigest(key.digest)).toEqual(key);
  expect(await store.get(key.keyId)).toBeDefined();
  await store.update(key.keyId, { name: null, scopes: ['b'], metadata: {}, expiresAt: soon });
  await store.update(key.keyId, {});
  const next = successor(now);
  await store.rotate(key.keyId, next, { overlapMs: 10, startsAt: 'first-use' });
  await expect(
    store.rotate(key.keyId, successor(now), { overlapMs: 10, startsAt: 'now' }),
  ).rejects.toMatchObject({ code: 'already_rotated' });
  await store.rotate(next.keyId, successor(now), { overlapMs: 10, startsAt: 'now' });
  await store.touch([{ keyId: next.keyId, usedAt: now }]);
  for (const status of [
    'active',
    'expiring',
    'rotating',
    'expired',
    'revoked',
    undefined,
  ] as const) {
    for (const cursor of [key.keyId, undefined]) {
      await store.list({ limit: 5, now, status, cursor, user: 'alice', search: 'li' });
    }
  }
  await useLimits(store, key.keyId);
  await store.revoke(next.keyId, now, { family: false });
  expect(await store.revoke(key.keyId, now, { family: true })).toHaveLength(3);
  expect(await store.prune(soon)).toBe(7);
  await useClaims(store);
  await useHistory(store);

  await client.query(`alter table ${table} disable trigger user`);
  expect(await store.inspect()).toMatchObject({ state: 'disarmed' });
  await store.migrate();
  expect(await store.inspect()).toMatchObject({ state: 'ready' });
}

/** Leaves two keys of bob's that end soon. */
async function useLimits(store: PostgresKeyStore, keyId: string): Promise<void> {
  const limit = { maxKeysPerUser: 1, now };
  const context = { by: 'ann', reason: 'why', via: 'code', at: now } as const;
  const addresses = ['203.0.113.0/24'];
  const [bobs, carols] = ['bob', 'carol'].map((user) =>
    storedKey({ user, expiresAt: soon, allowedAddresses: addresses, pausedAt: now }),
  ) as [StoredKey, StoredKey];
  await store.insert(bobs, { limit, context });
  await store.insert(carols, { limit });
  await expect(store.insert(storedKey({ user: 'bob' }), { limit })).rejects.toMatchObject({
    code: 'too_many_keys',
  });
  await expect(store.update(carols.keyId, { user: 'bob' }, { limit })).rejects.toMatchObject({
    code: 'too_many_keys',
  });
  await store.update(carols.keyId, { user: 'dan', allowedAddresses: [] }, { limit, context });
  await store.resume(bobs.keyId, now);
  await store.pause(bobs.keyId, { pausedAt: now, pausedUntil: soon });
  await store.list({ limit: 5, now, status: 'paused', unusedSince: now, expiresBy: soon });
  expect(await store.takeNotices({ beforeMs: [100_000, 60_000], now })).toHaveLength(3);
  await store.rotate(
    carols.keyId,
    { ...successor(now), onlyScopes: ['a'] },
    { overlapMs: 1, startsAt: 'now' },
  );
  await store.revokeUser('dan', now);
  await expect(store.pause(keyId, { pausedAt: soon })).rejects.toMatchObject({
    code: 'key_not_usable',
  });
  await store.revokeUser('bob', now);
}

async function useHistory({ events, usage }: PostgresKeyStore): Promise<void> {
  const [newest] = await events.list({ limit: 1 });
  const query = { keyId: newest!.keyId, user: 'alice', since: new Date(0), limit: 5 };
  for (const cursor of [newest!.eventId, undefined]) await events.list({ ...query, cursor });
  await events.prune(soon);
  const day = '2026-11-29';
  const count = { day, keyId: 'key_1', user: 'alice', admitted: 2, refused: 1 };
  for (let times = 0; times < 2; times++) await usage.add([count]);
  expect(await usage.list({ from: day, to: day, keyId: 'key_1', user: 'alice' })).toEqual([
    { ...count, admitted: 4, refused: 2 },
  ]);
  expect(await usage.prune('2026-11-30')).toBe(1);
}

async function useClaims({ claims }: PostgresKeyStore): Promise<void> {
  const claim: StoredClaim = {
    claimId: 'claim_1',
    tokenDigest: storedKey().digest,
    user: 'alice',
    scopes: ['a'],
    metadata: {},
    createdAt: now,
    expiresAt: soon,
  };
  const other = { ...claim, claimId: 'claim_2', tokenDigest: storedKey().digest };
  for (const each of [claim, other]) await claims.insert(each);
  expect(await claims.find(claim.tokenDigest)).toBeDefined();
  for (const status of ['open', 'used', 'revoked', 'expired', undefined] as const) {
    for (const cursor of ['claim_1', undefined])
      await claims.list({ limit: 5, now, status, cursor });
  }
  const { keyId, digest } = storedKey();
  for (const outcome of ['claimed', 'used']) {
    expect(await claims.take(claim.tokenDigest, { keyId, digest, createdAt: now })).toMatchObject({
      outcome,
    });
  }
  await claims.revoke('claim_2', now);
  expect(await claims.prune(soon)).toBe(2);
}

async function adoptAll(table: string, searchPath: string): Promise<void> {
  const { store } = storeOf(table, searchPath);
  await admin.query(`
    create table public.${table} (id serial primary key, user_name varchar(50) unique, name varchar(20), api_key varchar(200),
      scopes varchar(9)[], metadata json, created_at timestamp, last_used date, is_active boolean, active boolean, kept text not null);
    insert into public.${table} (user_name, name, api_key, is_active, kept) values
      ('alice', 'x', 'key one', true, ''), ('bob', null, 'key one', false, ''), (E'ca\\nrol', null, null, true, ''), (null, null, 'two', null, '');
    insert into public.${table} (user_name, api_key, kept) values ('dan', repeat('ab', 32), '')`);
  await expect(store.adopt()).rejects.toThrow('adopt does not read');
  expect(await store.adopt({ ignoredColumns: ['active'] })).toMatchObject({
    adopted: 3,
    skipped: { withoutKey: 1, duplicates: 1 },
  });
  expect(await store.inspect()).toMatchObject({ state: 'ready' });
}

it('operators and functions that fit better, planted in a schema of the search path -> none is ever called', async () => {
  await useAll('trapped', 'planted,public');
  await adoptAll('trapped_plain', 'public,planted');
});

it('every function of every statement -> qualified, or in a body whose search path is fixed', async () => {
  await useAll('recorded', 'public');
  await adoptAll('recorded_plain', 'public');
  const { rows } = await admin.query<{ name: string }>(
    `select distinct proname as name from pg_proc where pronamespace = 'pg_catalog'::regnamespace`,
  );
  const functions = new Set(rows.map(({ name }) => name));
  // Words of the grammar, which are functions or types too.
  for (const word of ['extract', 'timestamptz', 'array_agg']) functions.delete(word);
  const code = sent.map((text) =>
    text
      .replaceAll(/set search_path = pg_catalog, pg_temp as \$(\w+)\$[^]*?\$\1\$/g, '')
      .replaceAll(/E?'(?:[^']|'')*'/g, "''"),
  );
  const called = [...code.join(';\n').matchAll(/(?<![\w."])([a-z_]\w*)\s*\(/g)].map(
    ([, name]) => name!,
  );

  expect(sent.length).toBeGreaterThan(50);
  expect([...new Set(called)].filter((name) => functions.has(name))).toEqual([]);
});

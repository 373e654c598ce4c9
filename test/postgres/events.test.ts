import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import type { ChangeContext, KeyEvent } from '../../src/stores/key-event.js';
import { clearTables, createDatabase } from '../support/postgres.js';
import { storedKey, successor } from '../support/stored-key.js';

const database = await createDatabase();
const pool = database.pool();
const store = new PostgresKeyStore({ client: pool });
const byHand = await database.client();
const now = new Date();
const soon = new Date(now.getTime() + 60_000);
const context: ChangeContext = { by: 'ann', reason: 'asked to', via: 'desk', at: now };

beforeAll(() => store.migrate());
beforeEach(() => clearTables(pool));

const all = async () => (await store.events.list({ limit: 1_000 })).toReversed();
const clear = () => pool.query('delete from api_keys_events');
const claimOf = (claimId: string) => ({
  claimId,
  tokenDigest: storedKey().digest,
  user: 'alice',
  scopes: [],
  metadata: {},
  createdAt: now,
  expiresAt: soon,
});

interface Key {
  readonly keyId: string;
  readonly next: string;
}

type Change = [
  how: string,
  expected: readonly (string | [what: string, changes: object])[],
  change: (key: Key) => Promise<unknown>,
];

/** `next` replaces `key`, and has not been used yet. */
const changes: Change[] = [
  ['insert', ['created'], () => store.insert(storedKey(), { context })],
  [
    'insert as an import',
    ['imported'],
    () => store.insert(storedKey(), { context: { ...context, isImport: true } }),
  ],
  [
    'update of all fields',
    [
      [
        'updated',
        {
          name: [null, 'x'],
          scopes: [[], ['a']],
          metadata: [{}, { a: 1 }],
          user: ['alice', 'bob'],
          allowedAddresses: [null, ['::1']],
          expiresAt: [null, soon.toISOString()],
        },
      ],
    ],
    ({ next }) =>
      store.update(
        next,
        {
          name: 'x',
          scopes: ['a'],
          metadata: { a: 1 },
          user: 'bob',
          allowedAddresses: ['::1'],
          expiresAt: soon,
        },
        { context },
      ),
  ],
  ['update to what is there', [], ({ keyId }) => store.update(keyId, { scopes: [] }, { context })],
  [
    'pause',
    [['paused', { pausedUntil: [null, soon.toISOString()] }]],
    ({ keyId }) => store.pause(keyId, { pausedAt: now, pausedUntil: soon }, { context }),
  ],
  ['resume of a key that is not paused', [], ({ keyId }) => store.resume(keyId, now, { context })],
  [
    'pause and resume',
    ['paused', 'resumed'],
    async ({ keyId }) => {
      await store.pause(keyId, { pausedAt: now }, { context });
      await store.pause(keyId, { pausedAt: now }, { context });
      await store.resume(keyId, now, { context });
    },
  ],
  [
    'revocation, twice',
    ['revoked'],
    async ({ keyId }) => {
      await store.revoke(keyId, now, { family: false, context });
      await store.revoke(keyId, now, { family: false, context });
    },
  ],
  [
    'revocation of a family',
    ['revoked', 'revoked'],
    ({ keyId }) => store.revoke(keyId, now, { family: true, context }),
  ],
  [
    'revocation of a user',
    ['claim_created', 'revoked', 'revoked', 'claim_revoked'],
    async () => {
      await store.claims.insert(claimOf('claim_1'), context);
      await store.revokeUser('alice', now, { context });
    },
  ],
  [
    'prune',
    ['revoked', 'revoked', 'deleted', 'deleted'],
    async ({ keyId }) => {
      await store.revoke(keyId, now, { family: true, context });
      await store.prune(soon, { context });
    },
  ],
  [
    'a link that is made, revoked and pruned',
    ['claim_created', 'claim_revoked'],
    async () => {
      await store.claims.insert(claimOf('claim_1'), context);
      await store.claims.revoke('claim_1', now, context);
      await store.claims.revoke('claim_1', now, context);
      await store.claims.prune(soon);
    },
  ],
  [
    'a claim',
    ['claim_created', 'claimed'],
    async () => {
      const claim = claimOf('claim_1');
      const { keyId, digest } = generateApiKey();
      await store.claims.insert(claim, context);
      await store.claims.take(claim.tokenDigest, { keyId, digest, createdAt: now }, context);
    },
  ],
  [
    'a batch of a copied store',
    [],
    async () => {
      const { keyId, digest } = generateApiKey();
      await store.archive.writeKeys([storedKey({ keyId, digest })], { isDryRun: false });
    },
  ],
  ['a last use', [], ({ keyId }) => store.touch([{ keyId, usedAt: now }])],
];

async function rotatedKey(): Promise<Key> {
  const key = storedKey();
  const next = successor(now);
  await store.insert(key);
  await store.rotate(key.keyId, next, { overlapMs: 1_000, startsAt: 'first-use' });
  await clear();
  return { keyId: key.keyId, next: next.keyId };
}

const shapeOf = (events: readonly KeyEvent[], expected: Change[1]) =>
  events.map(({ what, changes: changed }, index) =>
    typeof expected[index] === 'string' ? what : [what, changed],
  );

describe('what leaves which event', () => {
  it.each(changes)('%s in PostgreSQL -> leaves the event %j', async (_how, expected, change) => {
    const key = await rotatedKey();
    const startedAt = Date.now();

    await change(key);

    const events = await all();
    expect(shapeOf(events, expected)).toEqual(expected);
    for (const event of events) {
      expect(event.eventId).toMatch(/^event_[0-9a-f]{32}$/);
      expect(event).toMatchObject({ by: 'ann', reason: 'asked to', via: 'desk' });
      expect(event.at.getTime()).toBeGreaterThanOrEqual(startedAt - 50);
    }
  });

  it('a rotation -> rotated with the new key id, and created', async () => {
    const key = storedKey({ expiresAt: soon });
    const next = successor(now);
    await store.insert(key);
    await clear();

    await store.rotate(key.keyId, next, { overlapMs: 0, startsAt: 'now' }, { context });

    expect(await all()).toMatchObject([
      { what: 'created', keyId: next.keyId },
      {
        what: 'rotated',
        keyId: key.keyId,
        changes: {
          replacedBy: [null, next.keyId],
          expiresAt: [soon.toISOString(), now.toISOString()],
        },
      },
    ]);
  });

  it('a first use that ends the old key -> updated, under the old key’s id alone', async () => {
    const { keyId, next } = await rotatedKey();

    await store.touch([{ keyId: next, usedAt: now }]);

    expect(await all()).toMatchObject([
      { what: 'updated', keyId, via: 'code', changes: { expiresAt: [null, expect.any(String)] } },
    ]);
  });

  it.each([
    [`update api_keys set name = 'x' where key_id = $1`, ['updated']],
    ['update api_keys set revoked_at = now() where key_id = $1', ['revoked']],
    ['update api_keys set paused_at = now() where key_id = $1', ['paused']],
    ['update api_keys set last_used_at = now() where overlap_ms is null and key_id = $1', []],
    ['update api_keys set name = name where key_id = $1', []],
    ['delete from api_keys where key_id = $1', ['deleted']],
    [
      `insert into api_keys (key_id, user_name, digest)
        select 'key_hand', 'bob', 'sha256:' || repeat('0', 64) where $1 <> ''`,
      ['created'],
    ],
  ])('psql: %s -> %j, by the role', async (statement, expected) => {
    const { keyId } = await rotatedKey();

    await byHand.query(statement, [keyId]);

    const events = await all();
    expect(events.map(({ what }) => what)).toEqual(expected);
    for (const event of events) expect(event).toMatchObject({ via: 'sql', by: 'postgres' });
  });

  it.each([
    [`update api_keys_claims set scopes = '{all}'`, ['updated']],
    [`update api_keys_claims set user_name = 'bob'`, ['updated']],
    [`update api_keys_claims set allowed_addresses = '{::1}'`, ['updated']],
    [`update api_keys_claims set claimed_at = now()`, ['claimed']],
    [`update api_keys_claims set revoked_at = now()`, ['claim_revoked']],
    [`update api_keys_claims set name = name`, []],
  ])('psql, on a claim link: %s -> %j, by the role', async (statement, expected) => {
    await store.claims.insert(claimOf('claim_1'), context);
    await clear();

    await byHand.query(statement);

    const events = await all();
    expect(events.map(({ what }) => what)).toEqual(expected);
    for (const event of events)
      expect(event).toMatchObject({ claimId: 'claim_1', via: 'sql', by: 'postgres' });
  });

  it('truncate, and a change that is rolled back -> none', async () => {
    const { keyId } = await rotatedKey();
    await byHand.query('begin');
    await byHand.query('delete from api_keys where key_id = $1', [keyId]);
    await byHand.query('rollback');
    await byHand.query('truncate api_keys');

    expect(await all()).toEqual([]);
  });

  it('a role without any right on the events, taken on by SET ROLE -> the event, by that role', async () => {
    const role = `editor_${randomBytes(4).toString('hex')}`;
    await pool.query(`create role ${role}; grant select, update on api_keys to ${role}`);
    onTestFinished(async () => {
      await pool.query(`drop owned by ${role}; drop role ${role}`);
    });
    const { keyId } = await rotatedKey();

    await byHand.query(`set role ${role}`);
    await byHand.query(`update api_keys set name = 'x' where key_id = $1`, [keyId]);
    await expect(byHand.query('select * from api_keys_events')).rejects.toThrow('permission');
    await byHand.query('reset role');

    expect(await all()).toMatchObject([{ what: 'updated', via: 'sql', by: role }]);
  });

  it('a caller’s own statement behind one of the store, in one transaction -> via sql', async () => {
    const client = await database.client();
    const inside = new PostgresKeyStore({ client });
    const { keyId } = await rotatedKey();

    await client.query('begin');
    await inside.update(keyId, { name: 'x' }, { context });
    await client.query(`update api_keys set name = 'y' where key_id = $1`, [keyId]);
    await client.query('commit');

    expect(await all()).toMatchObject([
      { via: 'desk', by: 'ann' },
      { via: 'sql', by: 'postgres', changes: { name: ['x', 'y'] } },
    ]);
  });

  it('another’s table with the same trigger -> refused, nothing written', async () => {
    await pool.query(`create schema other; create table other.api_keys (like public.api_keys including defaults);
      create role maker; alter table other.api_keys owner to maker;
      create trigger record_update after update on other.api_keys for each row execute function api_keys_record_key()`);
    onTestFinished(async () => {
      await pool.query('drop schema other cascade; drop role maker');
    });
    await pool.query(
      `insert into other.api_keys (key_id, user_name, digest) values ('a', 'b', 'c')`,
    );

    await expect(pool.query(`update other.api_keys set name = 'x'`)).rejects.toThrow(
      'not for this table',
    );
    expect(await all()).toEqual([]);
  });
});

it('keys, digests and tokens in any text -> nowhere in the events', async () => {
  const { key } = generateApiKey();
  const token = 'Ab3_'.repeat(10) + 'xYz';
  const { digest } = storedKey();
  const { keyId } = await rotatedKey();
  for (const secret of [key, digest, token]) {
    const text = `\n${secret}\\\\${secret}\\n ${secret}"${secret}\u000b${secret}`;
    const metadata = { [secret]: [text, { deep: secret }], 'a"\\': 'kept \\n' };
    await store.update(
      keyId,
      { name: text, scopes: [secret], metadata },
      { context: { ...context, by: secret, reason: text } },
    );
  }

  const { rows } = await pool.query<{ text: string }>(
    'select e::text as text from api_keys_events e',
  );
  const dump = rows.map(({ text }) => text).join('\n');
  expect(rows).toHaveLength(3);
  for (const secret of [key, digest, digest.slice(7), token]) expect(dump).not.toContain(secret);
  expect(dump).toContain('<secret>');
  expect((await all())[0]!.changes!.metadata![1]).toMatchObject({ 'a"\\': 'kept \\n' });
});

it('50 changes at once, each of another name -> 50 events, each from where the one before it ended', async () => {
  const { keyId } = await rotatedKey();
  const stores = [1, 2, 3].map(() => new PostgresKeyStore({ client: database.pool() }));

  await Promise.all(
    Array.from({ length: 50 }, (_, n) => stores[n % 3]!.update(keyId, { name: `name ${n}` })),
  );

  const names = (await all()).map(({ changes: changed }) => changed!.name!);
  expect(names).toHaveLength(50);
  for (const side of [0, 1]) expect(new Set(names.map((name) => name[side])).size).toBe(50);
});

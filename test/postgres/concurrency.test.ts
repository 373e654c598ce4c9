import { beforeAll, describe, expect, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey, successor } from '../support/stored-key.js';

const database = await createDatabase();
const pool = database.pool({ max: 20 });
const store = new PostgresKeyStore({ client: pool });
const now = new Date();

beforeAll(() => store.migrate());

const successorsOf = async (keyId: string) => {
  const { rows } = await pool.query('select key_id from api_keys where replaces = $1', [keyId]);
  return rows.length;
};

/** Holds the row of a key as a change by hand does, until told how that ends. */
async function holding(keyId: string, assignment: string) {
  const client = await database.client();
  await client.query('begin');
  await client.query(`update api_keys set ${assignment} where key_id = $1`, [keyId]);
  return async (end: 'commit' | 'rollback') => {
    await client.query(end);
    await client.end();
  };
}

/** Waits until so many statements wait for locks. */
async function untilWaiting(count: number): Promise<void> {
  await expect
    .poll(async () => {
      const { rows } = await pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length;
    })
    .toBeGreaterThanOrEqual(count);
}

describe('rotations of one key at once', () => {
  it.each([
    ['now', 60_000],
    ['now', 0],
    ['first-use', 60_000],
  ] as const)(
    'twenty, starting %s with an overlap of %i ms -> one successor, the others told',
    async (startsAt, overlapMs) => {
      const key = storedKey();
      await store.insert(key);

      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, () =>
          store.rotate(key.keyId, successor(now), { overlapMs, startsAt }),
        ),
      );

      const failures = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [(outcome.reason as { code: string }).code] : [],
      );
      expect(failures).toEqual(Array.from({ length: 19 }, () => 'already_rotated'));
      expect(await successorsOf(key.keyId)).toBe(1);
    },
  );

  it('in a database whose transactions are serializable -> the same', async () => {
    const strict = new PostgresKeyStore({
      client: database.pool({ options: '-c default_transaction_isolation=serializable' }),
    });
    const key = storedKey();
    await store.insert(key);

    const outcomes = await Promise.allSettled(
      Array.from({ length: 3 }, () =>
        strict.rotate(key.keyId, successor(now), { overlapMs: 1, startsAt: 'now' }),
      ),
    );

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await successorsOf(key.keyId)).toBe(1);
  });
});

describe('a rotation', () => {
  it('startsAt now -> the old key ends after the overlap, the new one inherits', async () => {
    const key = storedKey({
      name: 'n',
      scopes: ['a'],
      metadata: { m: 1 },
      expiresAt: new Date(now.getTime() + 86_400_000),
      lastUsedAt: now,
    });
    await store.insert(key);
    const next = successor(now);

    const { record, previous } = await store.rotate(key.keyId, next, {
      overlapMs: 1_500,
      startsAt: 'now',
    });

    const { keyId, user, name, scopes, metadata, expiresAt } = key;
    expect(record).toEqual({
      ...{ user, name, scopes, metadata, expiresAt },
      keyId: next.keyId,
      createdAt: now,
      replaces: keyId,
    });
    expect(previous.expiresAt).toEqual(new Date(now.getTime() + 1_500));
    expect(previous.replacedBy).toBe(next.keyId);
    expect(await store.get(keyId)).toEqual(previous);
    expect((await store.findByDigest(next.digest))?.keyId).toBe(next.keyId);
  });

  it('an overlap beyond the own expiry -> the own expiry stands', async () => {
    const expiresAt = new Date(now.getTime() + 1_000);
    const key = storedKey({ expiresAt });
    await store.insert(key);

    const { previous } = await store.rotate(key.keyId, successor(now), {
      overlapMs: 9_000,
      startsAt: 'now',
    });

    expect(previous.expiresAt).toEqual(expiresAt);
  });

  it.each([
    ['revoked', { revokedAt: now }],
    ['expired at that instant', { expiresAt: now }],
  ])('of a key that is %s -> key_not_usable, no successor', async (_what, parts) => {
    const key = storedKey(parts);
    await store.insert(key);

    const rotation = store.rotate(key.keyId, successor(now), { overlapMs: 1, startsAt: 'now' });

    await expect(rotation).rejects.toMatchObject({ code: 'key_not_usable' });
    expect(await successorsOf(key.keyId)).toBe(0);
  });

  it('a successor whose id is taken -> duplicate_key, the old key untouched', async () => {
    const [key, other] = [storedKey(), storedKey()];
    await store.insert(key);
    await store.insert(other);
    const before = await store.get(key.keyId);

    const rotation = store.rotate(
      key.keyId,
      { ...successor(now), keyId: other.keyId },
      { overlapMs: 1, startsAt: 'now' },
    );

    await expect(rotation).rejects.toMatchObject({ code: 'duplicate_key' });
    expect(await store.get(key.keyId)).toEqual(before);
  });

  it('while a revocation by hand is under way -> waits, then refuses', async () => {
    const key = storedKey();
    await store.insert(key);
    const end = await holding(key.keyId, 'revoked_at = now()');

    const rotation = store.rotate(key.keyId, successor(now), { overlapMs: 1, startsAt: 'now' });
    rotation.catch(() => {});
    await untilWaiting(1);
    await end('commit');

    await expect(rotation).rejects.toMatchObject({ code: 'key_not_usable' });
    expect(await successorsOf(key.keyId)).toBe(0);
  });

  it('while an earlier expiry is being set by hand -> inherits it, and ends no later', async () => {
    const key = storedKey();
    await store.insert(key);
    const end = await holding(key.keyId, `expires_at = '2099-01-01Z', user_name = 'bob'`);

    const rotation = store.rotate(key.keyId, successor(now), { overlapMs: 1e13, startsAt: 'now' });
    await untilWaiting(1);
    await end('commit');

    const { record, previous } = await rotation;
    expect(record).toMatchObject({ user: 'bob', expiresAt: new Date('2099-01-01') });
    expect(previous).toMatchObject({ user: 'bob', expiresAt: new Date('2099-01-01') });
  });
});

describe('a revocation', () => {
  const chain = async (length: number) => {
    const key = storedKey();
    await store.insert(key);
    const ids = [key.keyId];
    while (ids.length < length) {
      const { record } = await store.rotate(ids.at(-1)!, successor(now), {
        overlapMs: 1e9,
        startsAt: 'now',
      });
      ids.push(record.keyId);
    }
    return ids;
  };

  it('of one key -> that one, and its first time stands', async () => {
    const [first, second] = await chain(2);

    const [record, ...others] = await store.revoke(first!, now, { family: false });
    const [again] = await store.revoke(first!, new Date(now.getTime() + 5), { family: false });

    expect(record).toMatchObject({ keyId: first, revokedAt: now, replacedBy: second });
    expect(others).toEqual([]);
    expect(again?.revokedAt).toEqual(now);
    expect((await store.get(second!))?.revokedAt).toBeUndefined();
  });

  it('of a family from its middle -> all of it in both directions, the named key first', async () => {
    const ids = await chain(5);

    const records = await store.revoke(ids[2]!, now, { family: true });

    expect(records[0]?.keyId).toBe(ids[2]);
    expect(records.map(({ keyId }) => keyId).toSorted()).toEqual(ids.toSorted());
    expect(records.every(({ revokedAt }) => revokedAt?.getTime() === now.getTime())).toBe(true);
  });

  it('of a family tied into a ring by hand -> ends', async () => {
    const ids = await chain(3);
    await pool.query('update api_keys set replaces = $1 where key_id = $2', [ids[2], ids[0]]);

    expect(await store.revoke(ids[1]!, now, { family: true })).toHaveLength(3);
  });

  it('of a family to which every revocation brings another key -> given up with an error that says so', async () => {
    const other = new PostgresKeyStore({ client: pool, table: 'restless' });
    await other.migrate();
    await pool.query(`
      create function come_back() returns trigger language plpgsql as $$
        begin
          insert into restless (key_id, user_name, digest, replaces)
            values (new.key_id || 'x', 'alice', 'sha256:' || encode(sha256((new.key_id || 'x')::bytea), 'hex'), new.key_id);
          return null;
        end $$;
      create trigger come_back after update of revoked_at on restless for each row
        when (old.revoked_at is null and new.revoked_at is not null) execute function come_back();`);
    const key = storedKey();
    await other.insert(key);

    await expect(other.revoke(key.keyId, now, { family: true })).rejects.toThrow(
      'revoke failed: others kept adding keys to the family meanwhile',
    );

    expect((await other.get(key.keyId))?.revokedAt).toEqual(now);
    await pool.query('drop trigger come_back on restless');
    expect((await other.revoke(key.keyId, now, { family: true })).length).toBeGreaterThan(50);
  });

  it('of a family while one of it is being rotated -> waits, and leaves no successor alive', async () => {
    const [keyId = ''] = await chain(1);
    const next = storedKey();
    const rotation = await database.client();
    await rotation.query('begin');
    await rotation.query('select from api_keys where key_id = $1 for update', [keyId]);
    await rotation.query(
      `insert into api_keys (key_id, user_name, digest, replaces) values ($1, 'alice', $2, $3)`,
      [next.keyId, next.digest, keyId],
    );

    const revocation = store.revoke(keyId, now, { family: true });
    await untilWaiting(1);
    await rotation.query('commit');

    expect((await revocation).map((record) => record.keyId)).toEqual([keyId, next.keyId]);
    expect((await store.get(next.keyId))?.revokedAt).toEqual(now);
  });

  it('of a family and a rotation at once, again and again -> no successor is left alive', async () => {
    for (let round = 0; round < 10; round++) {
      const [keyId = ''] = await chain(1);
      const overlap = { overlapMs: 1e9, startsAt: 'now' } as const;

      await Promise.all([
        store.rotate(keyId, successor(now), overlap).catch(() => {}),
        store.revoke(keyId, now, { family: true }),
      ]);

      const { rows } = await pool.query(
        'select key_id from api_keys where $1 in (key_id, replaces) and revoked_at is null',
        [keyId],
      );
      expect(rows).toEqual([]);
    }
  });
});

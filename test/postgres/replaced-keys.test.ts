import { beforeAll, describe, expect, it } from 'vitest';
import { ApiKeyManager, type KeyRecord } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey, successor } from '../support/stored-key.js';

const database = await createDatabase();
const pool = database.pool({ max: 20 });
/**
 * What the statements of all stores here failed with: they are sent again after a deadlock, which
 * so would go unseen.
 */
const failures: unknown[] = [];

function open() {
  const connections = database.pool({ max: 20 });
  const query = (text: string, values?: unknown[]) =>
    connections.query(text, values).catch((error: unknown) => {
      failures.push((error as { code?: string }).code);
      throw error;
    });
  return new PostgresKeyStore({ client: { query } });
}

const store = open();
const start = Date.UTC(2030, 0, 1);
const at = (ms: number) => new Date(start + ms);
const now = () => start;

/** Two instances, as two processes are: they share nothing but the database. */
const [one, two] = [1, 2].map(() => new ApiKeyManager({ store: open(), now })) as [
  ApiKeyManager,
  ApiKeyManager,
];

beforeAll(() => store.migrate());

const inserted = async (parts = {}) => {
  const key = storedKey({ createdAt: at(0), ...parts });
  await store.insert(key);
  return key.keyId;
};

const endOf = async (keyId: string) => (await store.get(keyId))?.expiresAt;

async function untilWaiting(count: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const { rows } = await pool.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length;
      },
      { interval: 5, timeout: 5_000 },
    )
    .toBe(count);
}

/**
 * Lets both run against the key's row while it is locked: the first is then the first to have it,
 * and the second has read before.
 */
async function inThisOrder<First, Second>(
  keyId: string,
  first: () => Promise<First>,
  second: () => Promise<Second>,
): Promise<[PromiseSettledResult<First>, PromiseSettledResult<Second>]> {
  const client = await database.client();
  await client.query('begin');
  await client.query('select from api_keys where key_id = $1 for update', [keyId]);
  const running = [first()] as Promise<unknown>[];
  await untilWaiting(1);
  running.push(second());
  await untilWaiting(2);
  const settled = Promise.allSettled(running);
  await client.query('commit');
  await client.end();
  return settled as Promise<[PromiseSettledResult<First>, PromiseSettledResult<Second>]>;
}

const fulfilled = { status: 'fulfilled' };
const refused = { status: 'rejected', reason: { code: 'already_rotated' } };

describe('an update of the expiry that meets a rotation by another instance', () => {
  it.each([
    ['to never, of a key without an end', undefined, null, 'now', at(5_000)],
    ['to later, of a key without an end', undefined, at(60_000), 'now', at(5_000)],
    ['to never, where the overlap goes beyond the old end', at(3_000), null, 'now', at(3_000)],
    ['to later, where the overlap goes beyond the old end', at(3_000), at(3_001), 'now', at(3_000)],
    [
      'to never, where the old key ends at the first use',
      at(90_000),
      null,
      'first-use',
      at(90_000),
    ],
    [
      'to later, where the old key ends at the first use',
      at(90_000),
      at(90_001),
      'first-use',
      at(90_000),
    ],
  ] as const)('%s -> already_rotated, and the old key ends as it had to', async (...each) => {
    const [, expiresAt, later, startsAt, end] = each;
    const keyId = await inserted(expiresAt && { expiresAt });

    const outcomes = await inThisOrder(
      keyId,
      () => one.rotate(keyId, { overlapMs: 5_000, startsAt }),
      () => two.update(keyId, { expiresAt: later }),
    );

    expect(outcomes).toMatchObject([fulfilled, refused]);
    expect(await endOf(keyId)).toEqual(end);
  });

  it('to earlier than the end of the overlap -> ends then', async () => {
    const keyId = await inserted();

    const outcomes = await inThisOrder(
      keyId,
      () => one.rotate(keyId, { overlapMs: 5_000 }),
      () => two.update(keyId, { expiresAt: at(4_999) }),
    );

    expect(outcomes).toMatchObject([
      fulfilled,
      { status: 'fulfilled', value: { expiresAt: at(4_999) } },
    ]);
    expect(await endOf(keyId)).toEqual(at(4_999));
  });

  it('and comes before it -> the successor has the new end, the old key that of its overlap', async () => {
    const keyId = await inserted({ expiresAt: at(3_000) });

    const [updated, rotated] = await inThisOrder(
      keyId,
      () => two.update(keyId, { expiresAt: null }),
      () => one.rotate(keyId, { overlapMs: 5_000 }),
    );

    expect([updated, rotated]).toMatchObject([fulfilled, fulfilled]);
    expect(
      (rotated as PromiseFulfilledResult<{ record: KeyRecord }>).value.record.expiresAt,
    ).toBeUndefined();
    expect(await endOf(keyId)).toEqual(at(5_000));
  });

  it('again and again, at the same time -> no rotated key outlives its overlap', async () => {
    for (let round = 0; round < 40; round++) {
      const keyId = await inserted(round % 2 && { expiresAt: at(4_000) });
      const updates = Array.from({ length: 6 }, (_, index) => {
        const either = index % 2 === 0 ? one : two;
        const expiresAt = index < 3 ? null : at(60_000);
        return either.update(keyId, { expiresAt }).catch(() => {});
      });
      await Promise.all([...updates, one.rotate(keyId, { overlapMs: 5_000 })]);

      const { expiresAt, replacedBy } = (await store.get(keyId))!;
      expect(replacedBy).toBeDefined();
      expect(expiresAt?.getTime()).toBeLessThanOrEqual(at(5_000).getTime());
    }
  });
});

describe('an update of the expiry that meets another change of the row', () => {
  it('the first use of the successor -> already_rotated, and the old key ends its overlap after it', async () => {
    const keyId = await inserted();
    const { record } = await one.rotate(keyId, { overlapMs: 5_000, startsAt: 'first-use' });

    const outcomes = await inThisOrder(
      keyId,
      () => store.touch([{ keyId: record.keyId, usedAt: at(1_000) }]),
      () => two.update(keyId, { expiresAt: null }),
    );

    expect(outcomes).toMatchObject([fulfilled, refused]);
    expect(await endOf(keyId)).toEqual(at(6_000));
  });

  it('the last use of a key that nothing replaced -> moved to later all the same', async () => {
    const keyId = await inserted({ expiresAt: at(3_000) });

    const outcomes = await inThisOrder(
      keyId,
      () => store.touch([{ keyId, usedAt: at(1_000) }]),
      () => two.update(keyId, { expiresAt: null, name: 'laptop' }),
    );

    expect(outcomes).toMatchObject([fulfilled, fulfilled]);
    expect(await store.get(keyId)).toMatchObject({ name: 'laptop', lastUsedAt: at(1_000) });
    expect(await endOf(keyId)).toBeUndefined();
  });

  it('changes without an end, as nothing in PostgreSQL does -> given up with an error that says so', async () => {
    const rows = [{ key_id: null, is_replaced: 'false', record: null }];
    const busy = new PostgresKeyStore({ client: { query: async () => ({ rows }) } });

    await expect(busy.update('key_0000000000', { expiresAt: null })).rejects.toThrow(
      /others kept changing the key/,
    );
  });

  it('its deletion -> unknown_key_id', async () => {
    const keyId = await inserted({ expiresAt: at(3_000) });

    const [, updated] = await inThisOrder(
      keyId,
      () => store.prune(at(3_001)),
      () => two.update(keyId, { expiresAt: null }),
    );

    expect(updated).toMatchObject({ status: 'rejected', reason: { code: 'unknown_key_id' } });
  });

  it('an end set by hand to infinity on a key that was replaced -> may be brought forward', async () => {
    const keyId = await inserted();
    await one.rotate(keyId, { overlapMs: 5_000 });
    await pool.query(`update api_keys set expires_at = 'infinity' where key_id = $1`, [keyId]);

    await two.update(keyId, { expiresAt: at(60_000) });

    expect(await endOf(keyId)).toEqual(at(60_000));
  });
});

describe('a successor that is replaced before its first use', () => {
  const overlap = { overlapMs: 5_000, startsAt: 'first-use' } as const;

  it('and the connection is lost right after the rotation -> the new key is there, and the first one ends', async () => {
    const keyId = await inserted();
    const { record } = await one.rotate(keyId, overlap);
    const isLost = { now: false };
    const client = {
      query: async (text: string, values?: unknown[]) => {
        if (isLost.now) throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
        isLost.now = text.includes('insert into');
        return pool.query(text, values);
      },
    };
    const keys = new ApiKeyManager({ store: new PostgresKeyStore({ client }), now });

    const rotated = await keys.rotate(record.keyId, { overlapMs: 60_000 });

    expect(rotated.record.replaces).toBe(record.keyId);
    expect(await endOf(keyId)).toEqual(at(5_000));
    expect(await one.verify(rotated.key)).toMatchObject({ ok: true });
  });

  it.each([
    ['a lower', 'key_a000000000', 'key_b000000000'],
    ['a higher', 'key_d000000000', 'key_c000000000'],
  ])(
    'and whose first use is being written, the first key with %s id -> it ends counted from that use, no deadlock',
    async (...each) => {
      const [, keyId, nextId] = each;
      await inserted({ keyId });
      await store.rotate(keyId, { ...successor(at(0)), keyId: nextId }, overlap);

      const outcomes = await inThisOrder(
        keyId,
        () => store.touch([{ keyId: nextId, usedAt: at(-1_000) }]),
        () => two.rotate(nextId, { overlapMs: 60_000 }),
      );

      expect(outcomes).toMatchObject([fulfilled, fulfilled]);
      expect(await endOf(keyId)).toEqual(at(4_000));
      expect(await endOf(nextId)).toEqual(at(60_000));
      expect(failures).toEqual([]);
    },
  );

  it('and whose first use is written late -> the first key ends at the earlier of both ends', async () => {
    for (const [usedAt, end] of [
      [at(-1_000), at(4_000)],
      [at(1_000), at(5_000)],
    ] as const) {
      const keyId = await inserted();
      const { record } = await one.rotate(keyId, overlap);
      await two.rotate(record.keyId, { overlapMs: 60_000 });
      await store.touch([{ keyId: record.keyId, usedAt }]);
      expect(await endOf(keyId)).toEqual(end);
    }
  });

  it('of many, beside their first uses and revocations of their families -> no deadlock, every end in time', async () => {
    for (let round = 0; round < 20; round++) {
      const keyId = await inserted();
      const { record } = await one.rotate(keyId, overlap);
      await Promise.all([
        two.rotate(record.keyId, { overlapMs: 60_000, startsAt: round % 2 ? 'now' : 'first-use' }),
        ...Array.from({ length: 4 }, (_, index) =>
          store.touch([
            { keyId, usedAt: at(index) },
            { keyId: record.keyId, usedAt: at(index) },
          ]),
        ),
        round % 4 === 0 && store.revoke(keyId, at(0), { family: false }),
      ]);
      const end = await endOf(keyId);
      expect(end?.getTime()).toBeGreaterThanOrEqual(at(5_000).getTime());
      expect(end?.getTime()).toBeLessThanOrEqual(at(5_003).getTime());
    }
    expect(failures).toEqual([]);
  });

  it('whose rotation cannot be done -> the first key goes on as before', async () => {
    const keyId = await inserted();
    const { record } = await one.rotate(keyId, overlap);
    const taken = await inserted();

    const rotation = store.rotate(record.keyId, { ...successor(at(0)), keyId: taken }, overlap);

    await expect(rotation).rejects.toMatchObject({ code: 'duplicate_key' });
    expect(await endOf(keyId)).toBeUndefined();
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { createPath, openStore } from '../support/sqlite.js';
import { startStoreProcesses } from '../support/start-store-process.js';
import { expectWebProblem, sendTo } from '../support/web-app.js';

const database = await createDatabase();
const pool = database.pool({ max: 20 });
const postgres = new PostgresKeyStore({ client: pool });

beforeAll(() => postgres.migrate());

/** A manager without limits, and where other processes find the same keys. */
async function openPlace(place: string) {
  const path = createPath();
  const store = place === 'SQLite' ? await openStore(path) : postgres;
  const keys = new ApiKeyManager({ store });
  onTestFinished(() => keys.close());
  // Fifty changes wait for one another, on a machine that may be busy.
  const at = place === 'SQLite' ? { file: path, busyTimeoutMs: 60_000 } : { url: database.url };
  return { keys, at };
}

const most = 7;
const inTurn = <Each>(list: readonly Each[], processes: number) =>
  Array.from({ length: processes }, (_, index) =>
    list.filter((_each, place) => place % processes === index),
  );

// On a busy machine each process takes its time to start.
const slow = { timeout: 300_000 };

describe.each(['SQLite', 'PostgreSQL'])(
  'limits in three processes at once, on %s',
  slow,
  (place) => {
    it('maxKeysPerUser, and fifty keys created, imported, claimed and handed over -> exactly the limit', async () => {
      const { keys, at } = await openPlace(place);
      const processes = await startStoreProcesses({ ...at, manager: { maxKeysPerUser: most } }, 3);
      const twelve = Array.from({ length: 12 });
      const [links, others] = await Promise.all([
        Promise.all(twelve.map(() => keys.createClaim({ user: 'alice' }))),
        Promise.all(twelve.map(() => keys.create({ user: 'bob' }))),
      ]);
      const calls: [string, unknown[]][] = [
        ...twelve.flatMap((_, index): [string, unknown[]][] => [
          ['create', [{ user: 'alice' }]],
          ['import', [{ user: 'alice', key: generateApiKey().key }]],
          ['claim', [links[index]!.token]],
          ['update', [others[index]!.record.keyId, { user: 'alice' }]],
        ]),
        ['create', [{ user: 'alice' }]],
        ['create', [{ user: 'alice' }]],
      ];

      const outcomes = await Promise.all(
        inTurn(calls, processes.length).flatMap((own, index) =>
          own.map(([method, args]) => processes[index]!.call('keys', method, args)),
        ),
      );

      const codes = outcomes.flat().map(({ code }) => code ?? 'done');
      expect(codes).toHaveLength(50);
      expect(codes.filter((code) => code === 'done')).toHaveLength(most);
      expect(new Set(codes)).toEqual(new Set(['done', 'too_many_keys']));
      expect(await keys.list({ user: 'alice' })).toHaveLength(most);
      const claimed = await keys.listClaims({ status: 'used' });
      const open = await keys.listClaims({ status: 'open' });
      expect(claimed.length + open.length).toBe(12);
    });

    it('maxKeys, and fifty new keys asked for on the account page -> exactly the limit', async () => {
      const { keys, at } = await openPlace(place);
      const processes = await startStoreProcesses({ ...at, maxKeys: most }, 3);
      await keys.create({ user: 'dave' });

      const replies = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          sendTo(processes[index % processes.length]!.port)('POST', '/account/keys/api/keys', {
            headers: { person: 'carol' },
            body: { name: 'laptop' },
          }),
        ),
      );

      const refused = replies.filter(({ status }) => status !== 201);
      for (const reply of refused) expectWebProblem(reply, 409, 'too_many_keys');
      expect(refused).toHaveLength(50 - most);
      expect(await keys.list({ user: 'carol' })).toHaveLength(most);
    });
  },
);

// SQLite has one writer at a time for a whole file, whatever is written.
describe('the limit of one user, held by a transaction on PostgreSQL', () => {
  it('keys of another user -> made meanwhile; one of the same user -> waits, and is made after', async () => {
    const keys = new ApiKeyManager({ store: postgres, maxKeysPerUser: 5 });
    onTestFinished(() => keys.close());
    const others = new ApiKeyManager({ store: postgres });
    onTestFinished(() => others.close());
    const { token } = await others.createClaim({ user: 'grace' });
    const handed = await others.create({ user: 'heidi' });
    const holder = await database.client();
    await holder.query('begin');
    await holder.query(`select api_keys_has_room('frank', now(), 5)`);

    let isMade = false;
    const waiting = keys.create({ user: 'frank' }).then(() => (isMade = true));
    await expect.poll(() => waitingForLocks(), { timeout: 10_000 }).toBe(1);
    await keys.create({ user: 'grace' });
    await keys.import({ user: 'grace', key: generateApiKey().key });
    await keys.claim(token);
    await keys.update(handed.record.keyId, { user: 'grace' });
    await delay(20);
    expect([isMade, await waitingForLocks()]).toEqual([false, 1]);
    expect(await keys.list({ user: 'grace' })).toHaveLength(4);

    await holder.query('commit');
    await waiting;
    expect(await keys.list({ user: 'frank' })).toHaveLength(1);
  });
});

async function waitingForLocks(): Promise<number> {
  const { rows } = await pool.query(
    `select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'advisory'`,
  );
  return rows.length;
}

import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { createPath, openStore } from '../support/sqlite.js';
import { startStoreProcesses } from '../support/start-store-process.js';

const database = await createDatabase();
const pool = database.pool();
const postgres = new PostgresKeyStore({ client: pool });

beforeAll(async () => {
  await postgres.migrate();
  // Each count takes its time, so that the writes of several processes meet.
  await pool.query(`
    create function take_time() returns trigger language plpgsql as
      $$ begin perform pg_sleep(0.004); return new; end $$;
    create trigger take_time before insert or update on api_keys_usage
      for each row execute function take_time();`);
});

const [keyCount, rounds] = [40, 25];

// On a busy machine each process takes its time to start.
const slow = { timeout: 300_000 };

describe.each(['SQLite', 'PostgreSQL'])('three processes that write uses, on %s', slow, (place) => {
  it('the same keys in other orders, again and again -> no deadlock, and every use is counted', async () => {
    const path = createPath();
    const store = place === 'SQLite' ? await openStore(path) : postgres;
    const keys = new ApiKeyManager({ store });
    onTestFinished(() => keys.close());
    const made = await Promise.all(
      Array.from({ length: keyCount }, () => keys.create({ user: 'alice' })),
    );
    const presented = made.map(({ key }) => [key]);
    const processes = await startStoreProcesses(
      {
        ...(place === 'SQLite' ? { file: path } : { url: database.url }),
        // Every use is written at once, while the next ones come in.
        manager: { lastUsedIntervalMs: 0 },
        busyTimeoutMs: 60_000,
      },
      3,
    );

    await Promise.all(
      processes.map(async (each, index) => {
        for (let round = 0; round < rounds; round++) {
          const order = presented.slice((round * 7 + index * 13) % keyCount);
          const outcomes = await each.call<{ ok: boolean }>(
            ...([
              'keys',
              'verify',
              ...order,
              ...presented.slice(0, keyCount - order.length),
            ] as const),
          );
          expect(outcomes.every(({ value }) => value?.ok)).toBe(true);
        }
        await each.call('keys', 'close', []);
      }),
    );

    const used = await keys.usage();
    expect(new Set(used.map(({ keyId }) => keyId)).size).toBe(keyCount);
    const sums = new Map<string, number>();
    for (const { keyId, admitted, refused } of used) {
      expect(refused).toBe(0);
      sums.set(keyId, (sums.get(keyId) ?? 0) + admitted);
    }
    expect([...sums.values()]).toEqual(made.map(() => rounds * processes.length));
    for (const { lastUsedAt } of await keys.list({ limit: keyCount }))
      expect(lastUsedAt).toBeInstanceOf(Date);
    if (place === 'SQLite') return;
    // A locked file is left for the next flush, with a warning; a database is not.
    for (const each of processes) expect(each.output()).toBe('');
    expect(await countDeadlocks()).toBe('0');
  });
});

async function countDeadlocks(): Promise<string> {
  const { rows } = await pool.query<{ deadlocks: string }>(
    `select deadlocks::text from pg_stat_database where datname = current_database()`,
  );
  return rows[0]!.deadlocks;
}

import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, type KeyStore } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { createPath, openStore } from '../support/sqlite.js';
import { startGuardedProcess, type GuardedProcess } from '../support/start-guarded-process.js';

const database = await createDatabase();
const postgres = new PostgresKeyStore({ client: database.pool() });

beforeAll(() => postgres.migrate());

/**
 * Freezes a process `idleMs` after an answer, for longer than a second, revokes the key meanwhile,
 * and wakes the process with the next request on the same connection. Resolves to that answer.
 */
async function revokedWhileFrozen(
  keys: ApiKeyManager,
  other: GuardedProcess,
  idleMs = 0,
): Promise<string> {
  const { key, record } = await keys.create({ user: 'alice' });
  expect((await other.ask(key)).code).toBe('admitted');
  await delay(100);
  expect((await other.ask(key)).code).toBe('admitted');
  await delay(idleMs);
  await other.freeze();
  const answer = other.ask(key);
  await delay(1_300);
  await keys.revoke(record.keyId);
  await delay(200);
  other.thaw();
  return (await answer).code;
}

function manager(store: KeyStore): ApiKeyManager {
  const keys = new ApiKeyManager({ store });
  onTestFinished(() => keys.close());
  return keys;
}

// Starting a process takes seconds on a busy machine.
describe.runIf(existsSync('/proc/self/stat'))(
  'a process that is frozen between two requests, and its key revoked meanwhile',
  { timeout: 60_000 },
  () => {
    it('PostgreSQL, woken by the next request on the same connection -> not one request is admitted', async () => {
      const keys = manager(postgres);
      const other = await startGuardedProcess({ url: database.url });
      const codes = [];
      for (let round = 0; round < 6; round++) codes.push(await revokedWhileFrozen(keys, other));
      expect(codes).toEqual(Array.from({ length: 6 }, () => 'revoked_api_key'));
    });

    it('SQLite -> the same', async () => {
      const file = createPath();
      const keys = manager(await openStore(file));
      const other = await startGuardedProcess({ file });
      const codes = [];
      for (let round = 0; round < 3; round++) codes.push(await revokedWhileFrozen(keys, other));
      expect(codes).toEqual(Array.from({ length: 3 }, () => 'revoked_api_key'));
    });

    it('SQLite, while nothing is asked for -> the same', async () => {
      const file = createPath();
      const keys = manager(await openStore(file));
      const other = await startGuardedProcess({ file });
      expect(await revokedWhileFrozen(keys, other, 6_000)).toBe('revoked_api_key');
    });
  },
);

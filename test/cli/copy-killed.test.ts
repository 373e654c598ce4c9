import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import type { KeyStore } from '../../src/stores/key-store.js';
import type { StoreArchive } from '../../src/stores/store-archive.js';
import { cli, startCli } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';
import { byHand, createPath, look, openStore } from '../support/sqlite.js';

const count = 20_000;
const database = await createDatabase();
const pool = database.pool({ max: 2 });
const postgres = new PostgresKeyStore({ client: pool });

/** All that a store keeps, in the order of its archive. */
async function contentOf(archive: StoreArchive): Promise<unknown[]> {
  const content: unknown[] = [];
  for (const part of ['Keys', 'Claims', 'Events', 'Usage'] as const)
    for await (const batch of archive[`read${part}`]()) content.push(...batch);
  return content;
}

/** Kills the copy once some keys have arrived. Resolves to how many had. */
async function killHalfWay(from: string, to: string, arrived: () => Promise<number>) {
  const { child } = startCli(['copy', '--from', from, '--to', to], {});
  const exited = once(child, 'exit');
  while (child.exitCode === null && (await arrived()) === 0) await delay(2);
  child.kill('SIGKILL');
  await exited;
  expect(child.signalCode).toBe('SIGKILL');
  return arrived();
}

async function copyRest(from: string, to: string, before: number): Promise<void> {
  const finished = await cli(['copy', '--from', from, '--to', to, '--json'], {});
  expect(finished.code, finished.stderr).toBe(0);
  const { keys, claims, conflicts } = JSON.parse(finished.stdout) as {
    keys: { copied: number; skipped: number };
    claims: { copied: number };
    conflicts: object[];
  };
  expect(keys).toEqual({ copied: count + 2 - before, skipped: before });
  expect(claims.copied).toBe(1);
  expect(conflicts).toEqual([]);
}

async function codeOf(store: KeyStore, key: string): Promise<string> {
  const keys = new ApiKeyManager({ store });
  const result = await keys.verify(key);
  await keys.close();
  return result.ok ? result.apiKey.user : result.code;
}

describe('a copy that is killed half-way, and run again', () => {
  it('a file to PostgreSQL, and back to another file -> all of it, once; keys, overlap, pause and link work there', async () => {
    const [path, back] = [createPath(), createPath()];
    const [source, target] = [await openStore(path), await openStore(back)];
    byHand(
      path,
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < ${count})
        insert into api_keys (key_id, user_name, digest)
        select printf('key_%06d', i), 'many', printf('sha256:%064x', i) from n`,
    );
    const keys = new ApiKeyManager({ store: source });
    const old = await keys.create({ user: 'alice' });
    await keys.pause(old.record.keyId);
    await keys.resume(old.record.keyId);
    const next = await keys.rotate(old.record.keyId, { overlapMs: 3_600_000 });
    const { token } = await keys.createClaim({ user: 'carol' });
    expect((await keys.verify(next.key)).ok).toBe(true);
    await keys.close();
    await postgres.migrate();

    const inPostgres = async () => {
      const { rows } = await pool.query('select count(*)::int as count from api_keys');
      return (rows as { count: number }[])[0]!.count;
    };
    const file = `file:${path}`;
    const there = await killHalfWay(file, database.url, inPostgres);
    expect(there).toBeGreaterThan(0);
    expect(there).toBeLessThan(count);
    await copyRest(file, database.url, there);
    expect(await contentOf(postgres.archive)).toEqual(await contentOf(source.archive));

    const inFile = async () => Number(look(back, 'select count(*) as c from api_keys')[0]!['c']);
    const again = await killHalfWay(database.url, `file:${back}`, inFile);
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThan(count);
    expect(look(back, 'pragma integrity_check')).toMatchObject([{ integrity_check: 'ok' }]);
    await copyRest(database.url, `file:${back}`, again);
    expect(await contentOf(target.archive)).toEqual(await contentOf(source.archive));

    for (const store of [postgres, target]) {
      expect(await codeOf(store, old.key)).toBe('alice');
      expect(await codeOf(store, next.key)).toBe('alice');
      const moved = new ApiKeyManager({ store });
      const claimed = await moved.claim(token);
      expect(claimed.record.user).toBe('carol');
      await moved.close();
    }
  });
});

import { expect, it } from 'vitest';
import { PostgresKeyStore } from '../../src/postgres.js';
import type { StoreArchive } from '../../src/stores/store-archive.js';
import { createDatabase } from '../support/postgres.js';
import { openStore } from '../support/sqlite.js';
import { storedKey, successor } from '../support/stored-key.js';

const pool = (await createDatabase()).pool();
const parts = ['Keys', 'Claims', 'Events', 'Usage'] as const;

async function open(table: string): Promise<PostgresKeyStore> {
  const store = new PostgresKeyStore({ client: pool, table });
  await store.migrate();
  return store;
}

async function copy(from: StoreArchive, to: StoreArchive, isDryRun = false) {
  const results = [];
  for (const part of parts) {
    const result = { copied: 0, skipped: 0, conflicts: [] as unknown[] };
    for await (const batch of from[`read${part}`]()) {
      const { copied, skipped, conflicts } = await to[`write${part}`](batch as never, { isDryRun });
      result.copied += copied;
      result.skipped += skipped;
      result.conflicts.push(...conflicts);
    }
    results.push(result);
  }
  return results;
}

async function contentOf(archive: StoreArchive) {
  const content: unknown[] = [];
  for (const part of parts)
    for await (const batch of archive[`read${part}`]()) content.push(...(batch as unknown[]));
  return content;
}

const claim = () => ({
  claimId: 'claim_1',
  tokenDigest: storedKey().digest,
  user: 'bob',
  scopes: ['a'],
  metadata: {},
  allowedAddresses: ['198.51.100.7'],
  createdAt: new Date(),
  expiresAt: new Date(Date.now() + 60_000),
});

it('all that a store keeps, by way of SQLite and back -> the same, once, and nothing in a dry run', async () => {
  const [from, to, between] = [await open('source'), await open('target'), await openStore()];
  const key = storedKey({ name: 'laptop', metadata: { a: [1] }, allowedAddresses: ['::1'] });
  await from.insert(key);
  await from.rotate(key.keyId, successor(), { overlapMs: 5_000, startsAt: 'first-use' });
  await from.pause(key.keyId, { pausedAt: new Date(), pausedUntil: new Date(Date.now() + 9_000) });
  await from.update(key.keyId, { user: 'carol' });
  await from.claims.insert(claim());
  const uses = { day: '2026-11-29', keyId: key.keyId, user: 'alice', admitted: 3, refused: 1 };
  await from.usage.add([uses]);
  const before = await contentOf(from.archive);

  const dry = await copy(from.archive, to.archive, true);
  expect(dry.map(({ copied }) => copied)).toEqual([2, 1, 6, 1]);
  expect(await contentOf(to.archive)).toEqual([]);

  await copy(from.archive, between.archive);
  await copy(between.archive, to.archive);
  expect(await contentOf(to.archive)).toEqual(before);
  expect(await to.events.list({ user: 'alice', limit: 10 })).toEqual(
    await from.events.list({ user: 'alice', limit: 10 }),
  );

  await to.update(key.keyId, { name: 'other' });
  await to.touch([{ keyId: key.keyId, usedAt: new Date() }]);
  const again = await copy(from.archive, to.archive);
  expect(again.map(({ copied, skipped }) => [copied, skipped])).toEqual([
    [0, 1],
    [0, 1],
    [0, 6],
    [0, 1],
  ]);
  expect(again[0]?.conflicts).toEqual([{ id: key.keyId, why: 'name' }]);
});

it('more than a batch, while two copy at once -> each key once', async () => {
  const [from, to] = [await open('many'), await open('copied')];
  await pool.query(`insert into many (key_id, user_name, digest)
    select 'key_' || n, 'bulk', 'sha256:' || encode(sha256(n::text::bytea), 'hex') from generate_series(1, 1201) n`);

  const both = await Promise.all([1, 2].map(() => copy(from.archive, to.archive)));

  expect(both[0]![0]!.copied + both[1]![0]!.copied).toBe(1_201);
  expect(both.flatMap(([keys]) => keys!.conflicts)).toEqual([]);
  const { rows } = await pool.query('select count(*)::int as count from copied');
  expect(rows).toEqual([{ count: 1_201 }]);
});

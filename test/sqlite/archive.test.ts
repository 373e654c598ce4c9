import { describe, expect, it } from 'vitest';
import { openStore } from '../support/sqlite.js';
import { storedKey, successor } from '../support/stored-key.js';
import type { ArchiveOptions } from '../../src/stores/store-archive.js';
import type { SqliteKeyStore } from '../../src/sqlite.js';

const parts = ['Keys', 'Claims', 'Events', 'Usage'] as const;

async function copy(from: SqliteKeyStore, to: SqliteKeyStore, options: ArchiveOptions) {
  const results = [];
  for (const part of parts) {
    for await (const batch of from.archive[`read${part}`]())
      results.push(await to.archive[`write${part}`](batch as never, options));
  }
  return results;
}

async function contentOf({ archive }: SqliteKeyStore) {
  const content: unknown[] = [];
  for (const part of parts)
    for await (const batch of archive[`read${part}`]()) content.push(...(batch as unknown[]));
  return content;
}

describe('the archive of a SQLite store', () => {
  it('all that one store keeps -> the same in another, once, and nothing in a dry run', async () => {
    const [from, to] = [await openStore(), await openStore()];
    const key = storedKey({ name: 'laptop', allowedAddresses: ['203.0.113.0/24'] });
    await from.insert(key);
    await from.rotate(key.keyId, successor(), { overlapMs: 5_000, startsAt: 'first-use' });
    await from.pause(key.keyId, { pausedAt: new Date() });
    const times = { createdAt: new Date(), expiresAt: new Date(Date.now() + 60_000) };
    const { digest: tokenDigest } = storedKey();
    await from.claims.insert({
      claimId: 'claim_1',
      tokenDigest,
      user: 'bob',
      scopes: ['a'],
      metadata: {},
      ...times,
    });
    const { keyId } = key;
    await from.usage.add([{ day: '2026-11-29', keyId, user: 'alice', admitted: 3, refused: 1 }]);
    const before = await contentOf(from);
    expect((await copy(from, to, { isDryRun: true })).map(({ copied }) => copied)).toEqual([
      2, 1, 5, 1,
    ]);
    expect(await contentOf(to)).toEqual([]);
    await copy(from, to, { isDryRun: false });
    expect(await contentOf(to)).toEqual(before);
    const again = await copy(from, to, { isDryRun: false });
    expect(
      again.map(({ copied, skipped, conflicts }) => [copied, skipped, conflicts.length]),
    ).toEqual([
      [0, 2, 0],
      [0, 1, 0],
      [0, 5, 0],
      [0, 1, 0],
    ]);
    await to.update(keyId, { name: 'other' });
    const [conflicting] = await copy(from, to, { isDryRun: false });
    expect(conflicting?.conflicts).toEqual([{ id: keyId, why: 'name' }]);
    expect((await to.get(keyId))?.name).toBe('other');
  });
});

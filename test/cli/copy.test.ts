import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiKeyManager, type KeyRecord } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { SqliteKeyStore } from '../../src/sqlite.js';
import { cli, folder } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

interface Summary {
  readonly keys: { readonly copied: number; readonly skipped: number };
  readonly claims: { readonly copied: number };
  readonly events: { readonly copied: number; readonly skipped: number };
  readonly conflicts: readonly object[];
}

const file = 'file:keys.db';
const database = await createDatabase();

let template: string;

beforeAll(async () => {
  template = mkdtempSync(join(tmpdir(), 'require-api-key-copy-'));
  await withKeys(join(template, 'keys.db'), async (keys) => {
    const { record } = await keys.create({
      user: 'alice',
      scopes: ['a'],
      allowedAddresses: ['127.0.0.1'],
    });
    await keys.create({ user: 'bob', expiresAt: new Date(Date.now() + 9 * 86_400_000) });
    await keys.rotate(record.keyId);
    await keys.createClaim({ user: 'carol' });
  });
  await withKeys(join(template, 'empty.db'), async () => {});
  await new PostgresKeyStore({ client: database.pool() }).migrate();
});

afterAll(() => rmSync(template, { recursive: true, force: true }));

/** Runs work on the keys of a migrated file. */
async function withKeys(path: string, work: (keys: ApiKeyManager) => Promise<void>): Promise<void> {
  const store = await SqliteKeyStore.open(path);
  await store.migrate();
  const keys = new ApiKeyManager({ store });
  await work(keys);
  await keys.close();
  await store.close();
}

/**
 * A folder with a file of three keys, one of them rotated, and an open claim link; and an empty
 * file.
 */
function filled(): string {
  const cwd = folder();
  cpSync(template, cwd, { recursive: true });
  return cwd;
}

async function recordsIn(path: string): Promise<KeyRecord[]> {
  let records: KeyRecord[] = [];
  await withKeys(path, async (keys) => {
    records = await keys.list();
  });
  return records;
}

const copy = (cwd: string, from: string, to: string, ...more: readonly string[]) =>
  cli(['copy', '--from', from, '--to', to, ...more], { cwd });

describe('copy', () => {
  it('a file to PostgreSQL and back into another file -> the same keys, links and history', async () => {
    const cwd = filled();
    const { url } = database;
    const there = await copy(cwd, file, url, '--json');
    expect(there.code, there.stderr).toBe(0);
    const summary = JSON.parse(there.stdout) as Summary;
    expect(summary).toMatchObject({
      keys: { copied: 3, skipped: 0 },
      claims: { copied: 1 },
      conflicts: [],
    });
    expect(summary.events.copied).toBeGreaterThan(4);
    expect(await copy(cwd, url, 'file:empty.db')).toMatchObject({ code: 0 });
    const before = await recordsIn(join(cwd, 'keys.db'));
    expect(before).toHaveLength(3);
    expect(await recordsIn(join(cwd, 'empty.db'))).toEqual(before);
  });

  it('again -> everything is there already; what differs is told and left, exit 1', async () => {
    const cwd = filled();
    await copy(cwd, file, 'file:empty.db');
    const again = await copy(cwd, file, 'file:empty.db');
    expect(again).toMatchObject({ code: 0, stdout: '' });
    expect(again.stderr).toMatch(/^Copied 0 keys, 0 claim links, 0 events, .+already there\.\n$/);
    const target = join(cwd, 'empty.db');
    const { keyId } = (await recordsIn(target))[0]!;
    await withKeys(target, async (keys) => void (await keys.update(keyId, { name: 'other' })));
    const differs = await copy(cwd, file, 'file:empty.db');
    expect(differs.code).toBe(1);
    expect(differs.stderr).toContain(`Left ${keyId} as it is: it differs there (name).`);
    expect(await recordsIn(target)).toContainEqual(
      expect.objectContaining({ keyId, name: 'other' }),
    );
  });

  it('--dry-run -> says what would be done, and does none of it', async () => {
    const cwd = filled();
    const dry = await copy(cwd, file, 'file:empty.db', '--dry-run');
    expect(dry.stderr).toMatch(/^Would copy 3 keys, 1 claim link, /);
    expect(await recordsIn(join(cwd, 'empty.db'))).toEqual([]);
  });

  it.each([
    ['a target that was never migrated', file, 'file:new.db', 1, 'migrate --database file:new.db'],
    ['a source that is not there', 'file:none.db', file, 1, 'migrate --database file:none.db'],
    ['a target that is no database', file, 'keys.db', 2, 'write postgres://'],
  ])('%s -> one sentence, and nothing is changed', async (_what, from, to, code, said) => {
    const cwd = filled();
    const finished = await copy(cwd, from, to);
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).toMatch(/^error: [^\n]+\n$/);
    expect(finished.stderr).toContain(said);
    expect(existsSync(join(cwd, 'new.db'))).toBe(false);
  });
});

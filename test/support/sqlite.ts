import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { SqliteKeyStore, type SqliteFileOptions } from '../../src/sqlite.js';
import { findDriver, type OpenDatabase } from '../../src/stores/sqlite/open-driver.js';

/** The driver of the running Node: `node:sqlite` or, before Node 22.13, `libsql`. */
export const openDatabase: OpenDatabase = await findDriver();

/** A folder of its own, removed with the test. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'require-api-key-sqlite-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A path in a folder of its own. */
export const createPath = (): string => join(createFolder(), 'keys.db');

/** A migrated store of a file, closed with the test. */
export async function openStore(
  path: string = createPath(),
  options?: SqliteFileOptions,
): Promise<SqliteKeyStore> {
  const store = await SqliteKeyStore.open(path, options);
  onTestFinished(() => store.close());
  await store.migrate();
  return store;
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { SqliteKeyStore, type SqliteDatabase, type SqliteFileOptions } from '../../src/sqlite.js';
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

/** Changes a file by hand, as somebody with the `sqlite3` shell does. */
export function byHand(path: string, sql: string): void {
  const shell = spawnSync('sqlite3', ['-cmd', '.timeout 5000', path, sql], { encoding: 'utf8' });
  if (shell.error === undefined) {
    if (shell.status !== 0) throw new Error(shell.stderr);
    return;
  }
  // Without the shell, a connection of its own does the same.
  const database = openDatabase(path) as SqliteDatabase & { close(): void };
  try {
    database.exec(`pragma busy_timeout = 5000; ${sql}`);
  } finally {
    database.close();
  }
}

/** What a statement finds in a file, over a connection of its own. */
export function look(path: string, sql: string): Record<string, unknown>[] {
  const database = openDatabase(path) as SqliteDatabase & { close(): void };
  try {
    return database.prepare(sql).all() as Record<string, unknown>[];
  } finally {
    database.close();
  }
}

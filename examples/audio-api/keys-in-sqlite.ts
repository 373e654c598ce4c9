import { chmodSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ApiKeyManager } from 'require-api-key';
import { SqliteKeyStore } from 'require-api-key/sqlite';
import { FOLDER, LAST_USED_INTERVAL_MS, type KeyPlace } from './key-place.js';

const DEFAULT_FILE = join(FOLDER, 'keys.db');

/** Opens the file, `file:keys.db`, and creates it if it is not there. */
export async function keysInSqlite(databaseUrl?: string): Promise<KeyPlace> {
  const file = databaseUrl?.replace(/^file:(\/\/(?=\/))?/i, '') ?? DEFAULT_FILE;
  const keyFolder = databaseUrl === undefined ? FOLDER : join(FOLDER, basename(file));
  if (databaseUrl === undefined) makePrivateFolder(keyFolder);
  const store = await SqliteKeyStore.open(databaseUrl ?? DEFAULT_FILE);
  await store.migrate().catch((error: Error) => {
    const reason = error.message.replace(/^SqliteKeyStore: (\w+ failed: )?/, '');
    throw new Error(`the keys cannot be kept in ${file}: ${reason}.`, { cause: error });
  });
  const keys = new ApiKeyManager({ store, lastUsedIntervalMs: LAST_USED_INTERVAL_MS });
  return {
    keys,
    name: `the SQLite file ${file}`,
    keyFolder,
    cliOptions: ` --database 'file:${file}'`,
    async close() {
      await keys.close();
      await store.close();
    },
  };
}

export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
}

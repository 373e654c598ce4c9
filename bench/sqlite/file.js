import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestApiKey, parseApiKey, SqliteKeyStore } from '../library.js';

/**
 * A SQLite file with so many rows, these keys among them, as `create` of database.js makes a table
 * in PostgreSQL.
 */
export async function createSqliteFile(rows, keys) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-sqlite-'));
  const path = join(folder, 'keys.db');
  await migrate(path);
  const database = await openDatabase(path);
  // Nobody wants to hear of a million new keys, which would take minutes to tell.
  const triggers = database.prepare(`select name from sqlite_master where type = 'trigger'`).all();
  for (const { name } of triggers) database.exec(`drop trigger "${name}"`);
  database.exec('begin');
  const insert = database.prepare(
    'insert into api_keys (key_id, user_name, digest) values (?, ?, ?)',
  );
  for (const key of keys) {
    const { keyId } = parseApiKey(key);
    insert.run(keyId, keyId, digestApiKey(key));
  }
  database.exec(`insert into api_keys (key_id, user_name, digest)
    with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${rows - keys.length})
    select printf('key_%010d', i), 'user' || i, 'sha256:' || lower(hex(randomblob(32)))
    from numbers where i <= ${rows - keys.length}`);
  database.exec('commit');
  database.close();
  // Puts the triggers back.
  await migrate(path);
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

async function migrate(path) {
  const store = await SqliteKeyStore.open(path);
  await store.migrate();
  await store.close();
}

async function openDatabase(path) {
  const { DatabaseSync } = process.getBuiltinModule?.('node:sqlite') ?? {};
  return new (DatabaseSync ?? (await import('libsql')).default)(path);
}

/**
 * Keeps the records of an `ApiKeyManager` in a SQLite file.
 *
 * @module require-api-key/sqlite
 */

export type { SqliteDatabase, SqliteStatement, SqliteValue } from './stores/sqlite/driver.js';
export type { Inspection, SchemaState } from './stores/sqlite/schema/inspect.js';
export {
  SqliteKeyStore,
  type SqliteFileOptions,
  type SqliteKeyStoreOptions,
} from './stores/sqlite/sqlite-key-store.js';

/**
 * Keeps the records of an `ApiKeyManager` in PostgreSQL.
 *
 * @module require-api-key/postgres
 */

export type { AdoptOptions, AdoptProgress, AdoptSummary } from './stores/postgres/adopt/adopt.js';
export type { PostgresClient } from './stores/postgres/client.js';
export type { SetUp } from './stores/postgres/diagnose.js';
export type { Inspection, SchemaState } from './stores/postgres/schema/inspect.js';
export {
  PostgresKeyStore,
  type PostgresKeyStoreOptions,
} from './stores/postgres/postgres-key-store.js';

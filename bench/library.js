// The library as it ships, in a folder that run.js fills: the package's own `dist` may be taken
// away by a test run elsewhere.
export * from './dist/package/index.js';
export { PostgresKeyStore } from './dist/package/postgres.js';
export { SqliteKeyStore } from './dist/package/sqlite.js';

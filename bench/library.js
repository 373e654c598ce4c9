// The library as it is built by run.js: compiled apart from the package's own `dist`, which a test run elsewhere may take away.
export * from './dist/index.js';
export { PostgresKeyStore } from './dist/postgres.js';

// The app under Jest as most projects have it: CommonJS.
const library = require('require-api-key');
const postgres = require('require-api-key/postgres');
const sqlite = require('require-api-key/sqlite');
const testing = require('require-api-key/testing');
const web = require('require-api-key/web');
const { checksOf } = require('./checks.cjs');

describe.each(['express', 'express4'])('%s', (name) => {
  const checks = checksOf({ express: require(name), library, postgres, sqlite, testing, web });
  for (const [title, run] of Object.entries(checks)) test(title, run);
});

// What somebody's app does with the installed package: one list for every Node, kind of module, Express and test runner.
const assert = require('node:assert/strict');
const events = require('node:events');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const nodePath = require('node:path');

const hourMs = 3_600_000;

/** Serves the app while `use` calls it. */
async function whileServed(app, use) {
  const server = app.listen(0, '127.0.0.1');
  await events.once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  try {
    await use(async (path, { key, body } = {}) => {
      const response = await fetch(origin + path, {
        method: body ? 'POST' : 'GET',
        headers: {
          ...(key && { 'X-API-Key': key }),
          ...(body && { 'Content-Type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      // Parsed here: Jest's `fetch` makes objects of another realm, which are never deeply equal to those of the test.
      const isJson = /json/.test(response.headers.get('Content-Type'));
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: isJson ? JSON.parse(text) : {},
      };
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Every check with its title; `express` and the entries of the package are loaded as the app loads them. */
exports.checksOf = function checksOf({ express, library, web, postgres, sqlite, testing }) {
  const { apiKeyOf, ApiKeyManager, generateApiKey, MemoryKeyStore, requireApiKey } = library;

  /** Serves `/hello` behind a guard with these options. */
  const whileGuarded = (options, use) => {
    const app = express();
    let handlerRuns = 0;
    app.get('/hello', requireApiKey(options), (req, res) => {
      handlerRuns++;
      res.json({ hello: apiKeyOf(req).user });
    });
    return whileServed(app, (call) =>
      use({
        async admits(key, user) {
          const { status, json } = await call('/hello', { key });
          assert.deepEqual([status, json], [200, { hello: user }]);
        },
        async refuses(key, status, code) {
          const runsBefore = handlerRuns;
          const answer = await call('/hello', { key });
          assert.deepEqual(
            [answer.status, answer.json.code, handlerRuns],
            [status, code, runsBefore],
          );
          assert.equal(answer.headers.get('Cache-Control'), 'no-store');
          assert.equal(answer.headers.has('WWW-Authenticate'), status === 401);
        },
      }),
    );
  };

  return {
    async 'a key in the environment'() {
      const { key } = generateApiKey();
      process.env.INTERNAL_API_KEY = key;
      try {
        await whileGuarded(undefined, async ({ admits, refuses }) => {
          await refuses(undefined, 401, 'missing_api_key');
          await refuses(generateApiKey().key, 401, 'invalid_api_key');
          await refuses(`${key}a`, 401, 'invalid_api_key');
          await admits(key, 'default');
        });
      } finally {
        delete process.env.INTERNAL_API_KEY;
      }
    },

    async 'a list of users in the environment'() {
      const [alice, bob] = [generateApiKey(), generateApiKey()];
      process.env.API_KEYS = `alice:${alice.key},bob:${bob.digest}`;
      try {
        await whileGuarded(undefined, async ({ admits, refuses }) => {
          await admits(alice.key, 'alice');
          await admits(bob.key, 'bob');
          await refuses(bob.digest, 401, 'invalid_api_key');
        });
      } finally {
        delete process.env.API_KEYS;
      }
    },

    async 'a list of users in the code'() {
      const [{ key }, { key: newer }] = [generateApiKey(), generateApiKey()];
      await whileGuarded(
        { source: library.keyList({ alice: [newer, key] }) },
        async ({ admits, refuses }) => {
          await admits(key, 'alice');
          await admits(newer, 'alice');
          await refuses(generateApiKey().key, 401, 'invalid_api_key');
        },
      );
    },

    async 'nothing configured'() {
      await withoutFaultLog(() =>
        whileGuarded(undefined, async ({ refuses }) => {
          await refuses(undefined, 503, 'api_key_not_configured');
          await refuses('undefined', 503, 'api_key_not_configured');
        }),
      );
    },

    async 'a callback'() {
      const { key } = generateApiKey();
      const expired = generateApiKey().key;
      const source = async (presented) => {
        if (presented === 'outage') throw new Error('no database');
        if (presented === expired) return { user: 'alice', expiresAt: new Date(Date.now() - 1) };
        return presented === key
          ? { user: 'alice', expiresAt: new Date(Date.now() + hourMs) }
          : undefined;
      };
      await withoutFaultLog(() =>
        whileGuarded({ source }, async ({ admits, refuses }) => {
          await admits(key, 'alice');
          await refuses('another', 401, 'invalid_api_key');
          await refuses(expired, 401, 'expired_api_key');
          await refuses('outage', 503, 'key_source_failed');
        }),
      );
    },

    async 'managed keys'() {
      const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
      const { key, record } = await keys.create({ user: 'alice', scopes: ['greet'] });
      const expired = await keys.create({ user: 'alice', expiresAt: new Date(Date.now() - 1) });
      const unscoped = await keys.create({ user: 'bob' });
      await whileGuarded({ source: keys, scopes: ['greet'] }, async ({ admits, refuses }) => {
        await admits(key, 'alice');
        await refuses(expired.key, 401, 'expired_api_key');
        await refuses(unscoped.key, 403, 'insufficient_scope');
        const successor = await keys.rotate(record.keyId, { overlapMs: hourMs });
        await admits(successor.key, 'alice');
        await keys.revoke(successor.record.keyId);
        await refuses(successor.key, 401, 'revoked_api_key');
      });
      await keys.close();
    },

    async 'a claim link'() {
      const keys = new ApiKeyManager({ store: new MemoryKeyStore() });
      const { token } = await keys.createClaim({ user: 'alice' });
      const app = express();
      app.use('/claim', web.claimPage({ keys, apiName: 'Audio API' }));
      app.get('/hello', requireApiKey({ source: keys }), (req, res) =>
        res.json(apiKeyOf(req).user),
      );
      await whileServed(app, async (call) => {
        const page = await call('/claim/');
        assert.equal(page.status, 200);
        assert.match(page.text, /^<!doctype html>/);
        for (const [, file] of page.text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) {
          assert.equal((await call(`/claim/${file}`)).status, 200, file);
        }
        const described = await call('/claim/describe', { body: { token } });
        assert.deepEqual([described.status, described.json.apiName], [200, 'Audio API']);
        const claimed = await call('/claim/claim', { body: { token } });
        assert.equal(claimed.status, 201);
        assert.equal((await call('/hello', { key: claimed.json.key })).text, '"alice"');
        assert.equal(
          (await call('/claim/claim', { body: { token } })).json.code,
          'claim_not_usable',
        );
      });
      await keys.close();
    },

    async 'the contract of a store'() {
      const cases = testing.keyStoreContract(() => new MemoryKeyStore());
      assert.ok(cases.length > 10);
      for (const { run } of cases) await run();
    },

    async 'the PostgreSQL entry'() {
      const queries = [];
      const client = { query: async (query) => (queries.push(query), { rows: [] }) };
      const keys = new ApiKeyManager({ store: new postgres.PostgresKeyStore({ client }) });
      assert.equal((await keys.verify(generateApiKey().key)).ok, false);
      assert.ok(queries.length > 0);
      await keys.close();
    },

    async 'the SQLite entry, with the driver of this Node or none'() {
      const folder = mkdtempSync(nodePath.join(tmpdir(), 'require-api-key-consumer-'));
      try {
        const [major, minor] = process.versions.node.split('.').map(Number);
        const opened = sqlite.SqliteKeyStore.open(nodePath.join(folder, 'keys.db'));
        if (major < 22 || (major === 22 && minor < 13)) {
          await assert.rejects(opened, /npm install better-sqlite3@12/);
          return;
        }
        const store = await opened;
        await store.migrate();
        const keys = new ApiKeyManager({ store });
        const { key } = await keys.create({ user: 'alice' });
        assert.equal((await keys.verify(key)).ok, true);
        await keys.close();
        await store.close();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
};

/** Runs what makes the guard log a fault, which is no output of the check. */
async function withoutFaultLog(run) {
  const { error } = console;
  console.error = () => {};
  try {
    await run();
  } finally {
    console.error = error;
  }
}

/** Without a test runner: runs all, prints how many there were. */
exports.runAll = async function runAll(checks) {
  for (const [title, run] of Object.entries(checks)) {
    await run().catch((error) => {
      throw new Error(title, { cause: error });
    });
  }
  console.log(`${Object.keys(checks).length} checks`);
};

import type pg from 'pg';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, generateApiKey, requireApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { Database, Executor } from '../../src/stores/postgres/database.js';
import { migrate } from '../../src/stores/postgres/schema/migrate.js';
import type { Migration } from '../../src/stores/postgres/schema/migration.js';
import { migrations } from '../../src/stores/postgres/schema/migrations.js';
import { createNames } from '../../src/stores/postgres/names.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { createDatabase } from '../support/postgres.js';
import { startGuardedProcess } from '../support/start-guarded-process.js';
import { earlierVersions, latestVersion, makeSchema } from './earlier-schema.js';

/**
 * As a later version of the library may change what is there: in ways that this version can live
 * with.
 */
const nextVersion: Migration = {
  version: latestVersion + 1,
  sql: ({ keys, claims }) => `
    alter table ${keys} add column team text not null default 'none', add column last_ip inet;
    alter table ${claims} add column team text not null default 'none';
    create index api_keys_team_idx on ${keys} (team);`,
};

function managerOn(client: pg.Pool): ApiKeyManager {
  const keys = new ApiKeyManager({
    store: new PostgresKeyStore({ client }),
    lastUsedIntervalMs: 10,
  });
  onTestFinished(() => keys.close());
  return keys;
}

const patiently = { timeout: 20_000, interval: 10 };

const withinASecond = (assertion: () => Promise<void>) =>
  vi.waitFor(assertion, { timeout: 1_000, interval: 10 });

const database = await createDatabase();
const pool = database.pool();
const store = new PostgresKeyStore({ client: pool });

const upgrade = () =>
  migrate(new Executor(new Database(pool), createNames('public', 'api_keys'), 0), [
    ...migrations,
    nextVersion,
  ]);

beforeEach(async () => {
  await pool.query(
    'drop schema public cascade; create schema public; grant usage on schema public to public',
  );
});

/**
 * Everything in the schema that can change: columns, constraints, indexes, triggers, functions,
 * rows.
 */
async function everything(): Promise<string> {
  const { rows } = await pool.query<{ line: string }>(`
    select format('column %s.%s %s %s', table_name, column_name, data_type, column_default) as line
      from information_schema.columns where table_schema = 'public'
    union all select format('constraint %s', pg_get_constraintdef(oid)) from pg_constraint
      where connamespace = 'public'::regnamespace
    union all select indexdef from pg_indexes where schemaname = 'public'
    union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
    union all select t::text from api_keys t
    union all select t::text from api_keys_migrations t
    order by line`);
  return rows.map(({ line }) => line).join('\n');
}

describe('a newer library that upgrades the schema under a running process', () => {
  it('keys presented before, while and after -> admitted and refused as ever, changes within a second', async () => {
    await store.migrate();
    const keys = managerOn(pool);
    const running = await startGuardedProcess({ url: database.url });
    const [warm, toRevoke, cold, revoked, expired] = await Promise.all(
      Array.from({ length: 5 }, () => keys.create({ user: 'alice', scopes: ['audio:write'] })),
    );
    await keys.revoke(revoked!.record.keyId);
    await keys.update(expired!.record.keyId, { expiresAt: new Date() });
    const expected = new Map([
      [warm!.key, 'admitted'],
      [toRevoke!.key, 'admitted'],
      [revoked!.key, 'revoked_api_key'],
      [expired!.key, 'expired_api_key'],
      [generateApiKey().key, 'invalid_api_key'],
    ]);
    const over = new AbortController();
    const wrong: string[] = [];
    let asked = 0;
    const ask = async () => {
      while (!over.signal.aborted) {
        for (const [key, code] of [
          ...expected,
          [generateApiKey().key, 'invalid_api_key'] as const,
        ]) {
          const answer = await running.ask(key);
          if (answer.code !== code) wrong.push(`${answer.code} for ${code}`);
          asked++;
        }
      }
    };
    const load = Promise.all([ask(), ask(), ask()]);
    await vi.waitUntil(() => asked > 30, patiently);
    await upgrade();
    const upgradedAt = asked;
    await vi.waitUntil(() => asked > upgradedAt + 30, patiently);
    over.abort();
    await load;
    expect(wrong).toEqual([]);

    expect(await running.ask(cold!.key)).toMatchObject({
      code: 'admitted',
      apiKey: { scopes: ['audio:write'] },
    });
    await keys.revoke(toRevoke!.record.keyId);
    await withinASecond(async () =>
      expect((await running.ask(toRevoke!.key)).code).toBe('revoked_api_key'),
    );
    await pool.query(`update api_keys set revoked_at = now(), team = 'b' where key_id = $1`, [
      cold!.record.keyId,
    ]);
    await withinASecond(async () =>
      expect((await running.ask(cold!.key)).code).toBe('revoked_api_key'),
    );
    const { exitCode, output } = await running.close();
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' });
    expect((await keys.get(warm!.record.keyId))?.lastUsedAt).toBeInstanceOf(Date);
  }, 60_000);

  it('everything that the older one does with keys and links -> works', async () => {
    await store.migrate();
    const keys = managerOn(pool);
    const before = await keys.create({ user: 'alice' });
    await upgrade();
    await pool.query(`update api_keys set team = 'a'`);

    const created = await keys.create({ user: 'bob', expiresAt: new Date(Date.now() + 60_000) });
    const rotated = await keys.rotate(before.record.keyId, { overlapMs: 0, startsAt: 'first-use' });
    expect(await keys.verify(rotated.key)).toMatchObject({ ok: true, apiKey: { user: 'alice' } });
    await withinASecond(async () => {
      expect(await keys.verify(before.key)).toMatchObject({ ok: false, code: 'expired_api_key' });
    });
    const { token } = await keys.createClaim({ user: 'carol' });
    const claimed = await keys.claim(token);
    await keys.update(created.record.keyId, { scopes: ['audio:read'] });
    await keys.revoke(claimed.record.keyId);
    expect(await keys.list()).toHaveLength(4);
    expect(await keys.listClaims()).toMatchObject([{ keyId: claimed.record.keyId }]);
    expect(await keys.prune({ olderThanMs: 0 })).toBeGreaterThan(0);
    expect(await keys.verify(created.key)).toMatchObject({
      ok: true,
      apiKey: { scopes: ['audio:read'] },
    });
  });

  it('migrate() and adopt() of the older one -> refused with both versions, and nothing changed', async () => {
    await store.migrate();
    await managerOn(pool).create({ user: 'alice' });
    await upgrade();
    const before = await everything();

    const newer = `the schema of public.api_keys is version ${latestVersion + 1}, newer than this library knows (${latestVersion})`;
    await expect(store.migrate()).rejects.toThrow(newer);
    await expect(store.adopt()).rejects.toThrow(newer);

    expect(await everything()).toBe(before);
    expect(await store.inspect()).toEqual({ state: 'newer', version: latestVersion + 1 });
  });
});

describe.each(expressVersions)('an older schema under this library, on $version', ({ express }) => {
  it('a table that lacks a column which is read -> 503 that says so, the handler does not run', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => said.mockRestore());
    await makeSchema(pool, 1);
    const { key } = await managerOn(pool).create({ user: 'alice' });
    await pool.query('alter table api_keys drop column overlap_ms');
    const app = await guardedApp(express, { guard: requireApiKey({ source: managerOn(pool) }) });

    for (const presented of [key, generateApiKey().key]) {
      const reply = await app.raw([`X-API-Key: ${presented}`]);
      expect(reply).toMatchObject({ status: 503, handlerRuns: 0 });
      expect(reply.headers['retry-after']).toBe('5');
      expect(JSON.parse(reply.text)).toMatchObject({ code: 'key_source_failed' });
    }
    if (express === expressVersions[0]!.express)
      expect(String(said.mock.calls[0])).toContain('not up to date: run migrate()');
  });
});

it.each(earlierVersions)(
  'a schema of version %d -> told apart; claim links without a table say what to do; after migrate() all works, keys kept',
  async (version) => {
    await makeSchema(pool, version);
    const keys = managerOn(pool);
    const { key } = await keys.create({ user: 'alice' });

    expect(await store.inspect()).toEqual({ state: 'older', version });
    if (version < 2)
      await expect(keys.createClaim({ user: 'bob' })).rejects.toThrow(
        /not up to date: run migrate\(\)/,
      );
    await store.migrate();

    expect(await keys.verify(key)).toMatchObject({ ok: true });
    await keys.claim((await keys.createClaim({ user: 'bob' })).token);
  },
);

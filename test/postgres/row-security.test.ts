import { randomBytes } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey, successor } from '../support/stored-key.js';

const database = await createDatabase();
const admin = database.pool();
const owner = new ApiKeyManager({ store: new PostgresKeyStore({ client: admin }) });
const role = `app_${randomBytes(4).toString('hex')}`;
const tables = ['api_keys', 'api_keys_claims', 'api_keys_migrations'];
const forbidden = /row-level security may hide rows of public\.api_keys/;
await admin.query(`create role ${role}`);

beforeEach(async () => {
  await admin.query('drop schema public cascade; create schema public');
  await new PostgresKeyStore({ client: admin }).migrate();
  await admin.query(`grant usage on schema public to ${role};
    grant select, insert, update, delete on ${tables.join()} to ${role}`);
});

afterAll(async () => {
  await owner.close();
  await admin.query(`drop owned by ${role}; drop role ${role}`);
});

const enable = (...names: string[]) =>
  admin.query(names.map((name) => `alter table ${name} enable row level security;`).join(''));

function asRole() {
  const store = new PostgresKeyStore({ client: database.pool({ options: `-c role=${role}` }) });
  const keys = new ApiKeyManager({ store, lastUsedIntervalMs: 10 });
  onTestFinished(() => keys.close());
  return { store, keys };
}

describe('row-level security without a policy', () => {
  it('a genuine cold key -> a fault, never unknown; a warm one goes on', async () => {
    const [warm, cold] = [
      await owner.create({ user: 'alice' }),
      await owner.create({ user: 'bob' }),
    ];
    const { keys } = asRole();
    expect(await keys.verify(warm.key)).toMatchObject({ ok: true });
    await enable(...tables);

    await expect(keys.verify(cold.key)).rejects.toThrow();
    await expect(keys.verify(generateApiKey().key)).rejects.toThrow();
    expect(await keys.verify(warm.key)).toMatchObject({ ok: true });
  });

  it('every other call -> says what hides the rows, and not that there are none', async () => {
    const { record } = await owner.create({ user: 'alice' });
    const { token, claim } = await owner.createClaim({ user: 'alice' });
    const { store, keys } = asRole();
    await enable(...tables);
    const now = new Date();
    const { keyId } = record;

    for (const work of [
      () => store.findByDigest(storedKey().digest),
      () => keys.get(keyId),
      () => keys.list(),
      () => keys.list({ cursor: keyId }),
      () => keys.update(keyId, { name: 'x' }),
      () => keys.update(keyId, {}),
      () => keys.rotate(keyId, { overlapMs: 0 }),
      () => keys.revoke(keyId),
      () => keys.revoke(keyId, { family: true }),
      () => keys.prune({ olderThanMs: 0 }),
      () => store.touch([{ keyId, usedAt: now }]),
      () => keys.claim(token),
      () => keys.peekClaim(token),
      () => keys.listClaims(),
      () => keys.revokeClaim(claim.claimId),
      () => store.inspect(),
    ]) {
      await expect(work(), String(work)).rejects.toThrow(forbidden);
    }
  });

  it('the owner, whom it does not concern -> as ever', async () => {
    await enable(...tables);
    const { keyId } = (await owner.create({ user: 'alice' })).record;

    expect(await owner.verify(generateApiKey().key)).toMatchObject({ ok: false });
    await owner.revoke(keyId);
    await expect(owner.revoke('key_0000000000')).rejects.toMatchObject({ code: 'unknown_key_id' });
  });
});

describe('row-level security with policies', () => {
  it('one that shows the role every row -> as without: unknown is unknown', async () => {
    const { key, record } = await owner.create({ user: 'alice' });
    await enable(...tables);
    for (const table of tables)
      await admin.query(`create policy require_api_key on ${table} to ${role} using (true)`);
    const { store, keys } = asRole();

    expect(await keys.verify(key)).toMatchObject({ ok: true });
    expect(await keys.verify(generateApiKey().key)).toMatchObject({ ok: false });
    expect((await store.inspect()).state).toBe('ready');
    await keys.revoke(record.keyId);
    expect(await keys.list()).toHaveLength(1);
  });

  it.each([
    ['shows some rows', `create policy part on api_keys using (user_name = 'bob')`],
    ['is for another role', 'create policy other on api_keys to pg_monitor using (true)'],
    [
      'is cut down by a restrictive one',
      `create policy everything on api_keys using (true);
       create policy bound on api_keys as restrictive using (user_name = 'bob')`,
    ],
    ['is for deletes alone', 'create policy deletes on api_keys for delete using (true)'],
  ])('one that %s -> a key that is not found is a fault', async (_what, policy) => {
    const { key } = await owner.create({ user: 'alice' });
    await enable('api_keys');
    await admin.query(policy);
    const { keys } = asRole();

    await expect(keys.verify(key)).rejects.toThrow();
    await expect(keys.list()).rejects.toThrow(forbidden);
  });

  it('one that lets the role see and not change -> verified, and no change or last use is lost in silence', async () => {
    const { key, record } = await owner.create({ user: 'alice' });
    await enable('api_keys');
    await admin.query(`create policy reads on api_keys for select to ${role} using (true)`);
    const { store, keys } = asRole();

    expect(await keys.verify(key)).toMatchObject({ ok: true });
    expect(await keys.verify(generateApiKey().key)).toMatchObject({ ok: false });
    const touched = store.touch([{ keyId: record.keyId, usedAt: new Date() }]);
    await expect(touched).rejects.toThrow(forbidden);
    await expect(touched).rejects.toMatchObject({ code: 'row_level_security' });
    await expect(keys.revoke(record.keyId)).rejects.toThrow(forbidden);
    await expect(
      store.rotate(record.keyId, successor(), { overlapMs: 0, startsAt: 'now' }),
    ).rejects.toThrow();
  });
});

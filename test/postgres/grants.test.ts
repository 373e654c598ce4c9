import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ApiKeyManager } from 'require-api-key';
import { PostgresKeyStore } from 'require-api-key/postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const admin = database.pool();
// Roles belong to the whole server, where other tests make theirs.
const suffix = randomBytes(4).toString('hex');
const roleOf = (name: string) => `${name}_${suffix}`;

const named = (sql: string) =>
  sql.replaceAll(/\b(app|account_app|key_operator)\b(?=[ ;])/g, (name) => roleOf(name));

/** A manager that works with the rights of a role of the document. */
function managerOf(role: string) {
  const store = new PostgresKeyStore({
    client: database.pool({ options: `-c role=${roleOf(role)}`, max: 2 }),
  });
  const keys = new ApiKeyManager({ store, lastUsedIntervalMs: 10 });
  onTestFinished(() => keys.close());
  return { store, keys };
}

beforeAll(async () => {
  await new PostgresKeyStore({ client: admin }).migrate();
  const [, sql] = /```sql\n([^]*?)```/.exec(readFileSync('docs/production.md', 'utf8'))!;
  const [forAccounts] = /-- With the account page[^]*?\n\n/.exec(sql!)!;
  await admin.query(named(sql!.replace(forAccounts, '')));
  await admin.query(`create role ${roleOf('account_app')} in role ${roleOf('app')}`);
  await admin.query(named(forAccounts.replaceAll('to app;', 'to account_app;')));
});

afterAll(async () => {
  for (const role of ['account_app', 'app', 'key_operator']) {
    await admin.query(`drop owned by ${roleOf(role)}; drop role ${roleOf(role)}`);
  }
});

describe('the grants of docs/production.md', () => {
  it('the application -> verifies, notes the last use, serves claims and is inspected; rotates and revokes nothing', async () => {
    const operator = managerOf('key_operator').keys;
    const { key, record } = await operator.create({ user: 'alice' });
    const { token } = await operator.createClaim({ user: 'bob' });

    const { store, keys } = managerOf('app');
    expect(await keys.verify(key)).toMatchObject({ ok: true });
    expect((await keys.claim(token)).record.user).toBe('bob');
    expect((await store.inspect()).state).toBe('ready');
    await keys.close();
    expect((await operator.get(record.keyId))?.lastUsedAt).toBeInstanceOf(Date);
    const day = new Date().toISOString().slice(0, 10);
    expect(await store.usage.list({ from: day, to: day })).toMatchObject([
      { keyId: record.keyId, admitted: 1 },
    ]);
    await expect(store.events.list({ limit: 1 })).rejects.toThrow('permission denied');

    await expect(keys.revoke(record.keyId)).rejects.toThrow('permission denied');
    await expect(keys.rotate(record.keyId, { overlapMs: 0 })).rejects.toThrow('permission denied');
    await expect(keys.createClaim({ user: 'bob' })).rejects.toThrow('permission denied');
    await expect(keys.prune({ olderThanMs: 0 })).rejects.toThrow('permission denied');
  });

  it('the application with the account page -> also makes, rotates and revokes keys; changes no name or digest', async () => {
    const { keys } = managerOf('account_app');
    const { record } = await keys.create({ user: 'alice' });
    const { key, record: successor } = await keys.rotate(record.keyId, { overlapMs: 0 });
    expect(await keys.verify(key)).toMatchObject({ ok: true });
    expect((await keys.revoke(successor.keyId)).length).toBe(1);
    await expect(keys.update(successor.keyId, { name: 'x' })).rejects.toThrow('permission denied');
    const client = await database.client({ options: `-c role=${roleOf('account_app')}` });
    await expect(client.query(`update api_keys set digest = ''`)).rejects.toThrow(
      'permission denied',
    );
  });

  it('the application, with a statement that asks to leave no event -> leaves it all the same', async () => {
    const client = await database.client({ options: `-c role=${roleOf('app')}` });
    const digest = `sha256:${'ab'.repeat(32)}`;
    await client.query(
      `with context as materialized (
          select set_config('require_api_key.context',
            statement_timestamp()::text || ' {"via":"code","isSilent":true}', true) as setting)
        insert into api_keys (key_id, user_name, digest)
        select 'key_planted', 'mallory', '${digest}' from context`,
    );
    const operator = managerOf('key_operator').keys;
    expect(await operator.history({ keyId: 'key_planted' })).toMatchObject([{ what: 'created' }]);
  });

  it('the operator -> creates, rotates, changes, revokes, hands over and prunes; migrates nothing', async () => {
    const { store, keys } = managerOf('key_operator');
    const { record } = await keys.create({ user: 'alice' });
    const { record: successor } = await keys.rotate(record.keyId, { overlapMs: 60_000 });
    await keys.update(successor.keyId, { name: 'laptop' });
    await keys.revoke(successor.keyId, { family: true });
    const { claim } = await keys.createClaim({ user: 'bob' });
    await keys.revokeClaim(claim.claimId);
    await keys.revoke(record.keyId);
    await store.revokeUser('bob', new Date());
    await store.takeNotices({ beforeMs: [1_000], now: new Date() });
    await keys.prune({ olderThanMs: 1_000 });
    expect(await store.events.list({ keyId: successor.keyId, limit: 10 })).toHaveLength(3);
    expect((await store.inspect()).state).toBe('ready');
    expect((await keys.get(successor.keyId))?.revokedAt).toBeInstanceOf(Date);

    const client = await database.client({ options: `-c role=${roleOf('key_operator')}` });
    await expect(client.query('alter table api_keys add column spare text')).rejects.toThrow(
      'must be owner',
    );
  });
});

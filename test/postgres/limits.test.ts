import { expect, it } from 'vitest';
import { ApiKeyManager, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { startAccount } from '../support/account-app.js';
import { createDatabase } from '../support/postgres.js';
import { storedKey, successor } from '../support/stored-key.js';

const database = await createDatabase();
const stores = [1, 2, 3, 4, 5].map(
  () => new PostgresKeyStore({ client: database.pool(), queryTimeoutMs: 10_000 }),
);
const store = stores[0]!;
await store.migrate();
const now = new Date();
const soon = new Date(now.getTime() + 60_000);
const limit = { maxKeysPerUser: 5, now };

const claimOf = (user: string) => {
  const { keyId, digest } = generateApiKey();
  const claim = { claimId: keyId.replace('key', 'claim'), tokenDigest: digest, user, scopes: [] };
  return { ...claim, metadata: {}, createdAt: now, expiresAt: soon };
};

const codesOf = (settled: PromiseSettledResult<unknown>[]) =>
  settled
    .filter((result) => result.status === 'rejected')
    .map(({ reason }) => (reason as { code?: string }).code);

it('creations, claims and hand-overs at once over many connections -> the limit to the key, links stay open', async () => {
  const claims = Array.from({ length: 15 }, () => claimOf('alice'));
  const others = Array.from({ length: 15 }, () => storedKey({ user: 'bob' }));
  for (const claim of claims) await store.claims.insert(claim);
  for (const key of others) await store.insert(key);

  const settled = await Promise.allSettled([
    ...Array.from({ length: 20 }, (_, n) => stores[n % 5]!.insert(storedKey(), { limit })),
    ...claims.map(async ({ tokenDigest }, n) => {
      const key = { ...successor(now), maxKeysPerUser: 5 };
      return stores[n % 5]!.claims.take(tokenDigest, key);
    }),
    ...others.map(async ({ keyId }, n) =>
      stores[n % 5]!.update(keyId, { user: 'alice' }, { limit }),
    ),
  ]);

  expect(codesOf(settled)).toEqual(Array.from({ length: 45 }, () => 'too_many_keys'));
  expect(await store.list({ user: 'alice', limit: 100, now })).toHaveLength(5);
  const used = await store.claims.list({ status: 'used', limit: 100, now });
  expect(await store.claims.list({ status: 'open', limit: 100, now })).toHaveLength(
    15 - used.length,
  );
});

it('a successor revoked while new keys are made on the account page -> no more than maxKeys work', async () => {
  const keys = new ApiKeyManager({ store });
  const { as } = await startAccount({ keys, account: { maxKeys: 2 } });
  const post = (path: string, body: object = {}) => as('erin')('POST', path, { body });
  for (let round = 0; round < 10; round++) {
    const { record } = await keys.create({ user: 'erin' });
    await keys.create({ user: 'erin' });
    const { json } = await post(`keys/${record.keyId}/rotate`);
    const next = json['record'] as { keyId: string };
    const attempts = Array.from({ length: 8 }, () => post('keys', { name: 'x' }));
    await Promise.all([post(`keys/${next.keyId}/revoke`), ...attempts]);
    expect(await keys.list({ user: 'erin', status: 'active' })).toHaveLength(2);
    await keys.revokeAll({ user: 'erin' });
  }
});

it('more keys without a living successor than may be made -> 409 on the account page', async () => {
  const keys = new ApiKeyManager({ store });
  const { as } = await startAccount({ keys, account: { maxKeys: 1 } });
  for (let index = 0; index < 2; index++) {
    const { record } = await keys.create({ user: 'frank' });
    const rotated = await keys.rotate(record.keyId);
    await keys.revoke(rotated.record.keyId);
  }
  const { status, json } = await as('frank')('POST', 'keys', { body: { name: 'x' } });
  expect([status, json['code']]).toEqual([409, 'too_many_keys']);
});

it('a transaction of repeatable reads, which cannot count -> refused, not let through', async () => {
  const options = '-c default_transaction_isolation=repeatable\\ read';
  const blind = new PostgresKeyStore({ client: database.pool({ options }) });

  await expect(blind.insert(storedKey({ user: 'carol' }), { limit })).rejects.toThrow(
    'maxKeysPerUser cannot be kept',
  );
  expect(await blind.insert(storedKey({ user: 'carol' }))).toBeDefined();
});

it('a rotation and a claim under way when their user is revoked -> their keys are revoked too', async () => {
  const key = storedKey({ user: 'dan' });
  const claim = claimOf('dan');
  await store.insert(key);
  await store.claims.insert(claim);
  const client = await database.client();
  const slow = new PostgresKeyStore({ client });
  await client.query('begin');
  await slow.rotate(key.keyId, successor(now), { overlapMs: 1_000, startsAt: 'now' });
  await slow.claims.take(claim.tokenDigest, successor(now));

  const revoking = stores[1]!.revokeUser('dan', now);
  await new Promise((done) => setTimeout(done, 200));
  await client.query('commit');

  expect((await revoking).keys).toHaveLength(3);
  expect(await store.list({ user: 'dan', status: 'active', limit: 10, now })).toEqual([]);
});

it('five processes that ask for notices at once -> each key told once', async () => {
  const keys = Array.from({ length: 40 }, () => storedKey({ user: 'eve', expiresAt: soon }));
  for (const key of keys) await store.insert(key);

  const told = await Promise.all(
    stores.map((each) => each.takeNotices({ beforeMs: [60_000, 90_000], now })),
  );

  const ids = told.flat().map(({ record }) => record.keyId);
  expect(ids.toSorted()).toEqual(keys.map(({ keyId }) => keyId).toSorted());
});

it('five processes that count the same keys at once, in whatever order -> no count lost', async () => {
  const day = '2026-11-29';
  const counts = Array.from({ length: 50 }, (_, n) => ({
    day,
    keyId: `key_${n}`,
    user: 'fay',
    admitted: 1,
    refused: 2,
  }));

  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      stores[n % 5]!.usage.add(n % 2 ? counts : counts.toReversed()),
    ),
  );

  const found = await store.usage.list({ from: day, to: day });
  expect(found.map(({ admitted, refused }) => [admitted, refused])).toEqual(
    counts.map(() => [20, 40]),
  );
});

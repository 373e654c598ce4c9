import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ApiKeyManager, digestApiKey, generateApiKey, type CreatedKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { startServer } from '../support/postgres.js';

const server = await startServer();
const client = server.pool();

/**
 * Every way that a key or a claim link's token can go: what was secret in it, and whose records
 * must be there.
 */
async function liveThroughAll(): Promise<{ secrets: string[]; made: CreatedKey[] }> {
  const store = new PostgresKeyStore({ client });
  await store.migrate();
  const keys = new ApiKeyManager({ store, legacyKeys: true, lastUsedIntervalMs: 1 });
  const issued = await keys.create({ user: 'alice', name: 'laptop', metadata: { plan: 'free' } });
  const claim = await keys.createClaim({ user: 'bob' });
  const claimed = await keys.claim(claim.token);
  const open = await keys.createClaim({ user: 'carol' });
  const revokedLink = await keys.createClaim({ user: 'dave' });
  await keys.revokeClaim(revokedLink.claim.claimId);
  const rotated = await keys.rotate(issued.record.keyId, { overlapMs: 60_000 });
  const revoked = await keys.create({ user: 'erin' });
  await keys.revoke(revoked.record.keyId, { family: true });
  const deleted = await keys.create({ user: 'frank', expiresAt: new Date(Date.now() - 1_000) });
  const legacy = 'legacy-0123456789-abcdefghij-klmnopqrst-uvwxyz';
  await keys.import({ user: 'grace', key: legacy });
  const made = [issued, claimed, rotated, revoked, deleted];
  const stranger = generateApiKey().key;
  for (const key of [...made.map((each) => each.key), legacy, stranger]) await keys.verify(key);
  await expect(keys.claim(claim.token)).rejects.toThrow();
  await keys.prune({ olderThanMs: 0 });
  await keys.close();
  return {
    secrets: [
      ...[...made.map((each) => each.key), stranger].map((key) => key.slice(14, 46)),
      legacy,
      ...[claim, open, revokedLink].map(({ token }) => token),
    ],
    made,
  };
}

/** A secret as it is, and in the encodings in which databases keep and log bytes. */
const formsOf = (secret: string) => [
  secret,
  secret.toUpperCase(),
  Buffer.from(secret).toString('hex'),
  Buffer.from(secret).toString('base64').slice(0, -4),
];

const filesUnder = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());

async function setting(name: string): Promise<string> {
  const { rows } = await client.query<{ value: string }>('select current_setting($1) as value', [
    name,
  ]);
  return rows[0]!.value;
}

describe('a database in which keys were issued, claimed, used, rotated, revoked and pruned', () => {
  it('its dump, its files, its write-ahead log and the log of its statements -> no key and no token in any', async () => {
    await client.query(`alter system set log_statement = 'all'`);
    await client.query('select pg_reload_conf()');
    await expect.poll(() => setting('log_statement')).toBe('all');
    const { secrets, made } = await liveThroughAll();
    const dump = await dumpAll();
    await client.query('checkpoint');
    const data = await setting('data_directory');
    await server.kill();
    const texts = new Map<string, Buffer>([
      ['the dump', Buffer.from(dump)],
      ['the log', readFileSync(join(dirname(data), 'log'))],
      ...filesUnder(data).map((file): [string, Buffer] => [
        relative(data, file),
        readFileSync(file),
      ]),
    ]);
    const placesOf = (text: string) =>
      Array.from(texts).flatMap(([place, bytes]) =>
        bytes.includes(text) ? [place.split('/')[0]] : [],
      );

    // What must be there is found in each, so that what must not be would be.
    const { key, record } = made[0]!;
    for (const text of [record.keyId, digestApiKey(key).slice(7)]) {
      expect(new Set(placesOf(text))).toEqual(new Set(['the dump', 'the log', 'base', 'pg_wal']));
    }
    for (const secret of secrets) {
      for (const form of formsOf(secret)) expect(placesOf(form)).toEqual([]);
    }
  }, 60_000);
});

/** By SQL, since npm has no `pg_dump` of PostgreSQL 18 and an older one refuses that server. */
async function dumpAll(): Promise<string> {
  const tables = await client.query<{ name: string }>(
    `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema')`,
  );
  let dump = '';
  for (const { name } of tables.rows) {
    const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
    dump += rows.map(({ row }) => `${name}: ${row}\n`).join('');
  }
  const functions = await client.query<{ text: string }>(
    `select pg_get_functiondef(p.oid) as text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = 'public'`,
  );
  return dump + functions.rows.map(({ text }) => text).join('\n');
}

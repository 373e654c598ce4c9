import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, generateApiKey, requireApiKey } from '../../src/index.js';
import { isPresentable } from '../../src/http/presented-key.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { presentableSql } from '../../src/stores/postgres/adopt/hash-sql.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import {
  columnsOf,
  digestOf,
  fill,
  insertOld,
  none,
  plaintextTable,
  pool,
  storeOf,
  table,
} from '../support/plaintext-table.js';
import { sampleKey, sha256Hex } from '../support/sample-key.js';

describe('keys', () => {
  it.each([
    ['blanks around', '  padded key \t'],
    ['another script', 'schlüssel-名前-🔑'],
    ['quotes and backslashes', `a'b"c\\d$body$`],
    ['300 characters', 'x'.repeat(300)],
    ['64 characters, not all hexadecimal', `g${'a'.repeat(63)}`],
    ['63 hexadecimal digits', 'a'.repeat(63)],
    ['65 hexadecimal digits', 'a'.repeat(65)],
    ['dollars', '$1,000$'],
  ])('with %s -> the digest of the exact text', async (_what, key) => {
    await plaintextTable();
    await insertOld('alice', key);

    await storeOf().adopt();

    expect(await storeOf().findByDigest(digestOf(key))).toMatchObject({ user: 'alice' });
  });

  it.each([
    ['as it is written here', (digest: string) => digest],
    ['in capitals', (digest: string) => digest.toUpperCase()],
  ])(
    'that are digests already, %s -> the digest stays, and nobody gets in with it',
    async (_what, written) => {
      await plaintextTable();
      const { key } = generateApiKey();
      const stored = written(digestOf(key));
      await insertOld('alice', stored);

      expect(await storeOf().adopt()).toEqual({ ...none, adopted: 1 });

      const keys = new ApiKeyManager({ store: storeOf(), legacyKeys: true });
      onTestFinished(() => keys.close());
      expect(await keys.verify(key)).toMatchObject({ ok: true, apiKey: { user: 'alice' } });
      for (const text of [stored, digestOf(key), digestOf(key).slice(7)]) {
        expect(await keys.verify(text)).toMatchObject({ ok: false, code: 'invalid_api_key' });
      }
    },
  );

  it('once as text and once as its digest -> one key, the further row set aside', async () => {
    await plaintextTable();
    await insertOld('alice', 'a-key-of-alice');
    await insertOld('bob', digestOf('a-key-of-alice'));

    expect(await storeOf().adopt()).toMatchObject({ adopted: 1, skipped: { duplicates: 1 } });

    expect(await storeOf().findByDigest(digestOf('a-key-of-alice'))).toMatchObject({
      user: 'alice',
    });
  });

  const hex = sha256Hex('some key');

  it('of 64 hexadecimal digits -> taken as keys, and those that are active counted as what digests look like', async () => {
    await plaintextTable();
    await insertOld('alice', hex);
    await insertOld('bob', hex.replace(/./, 'g'));
    await insertOld('carol', hex.toUpperCase(), { is_active: false });

    expect(await storeOf().adopt()).toMatchObject({ adopted: 3, revoked: 1, digestLike: 1 });

    expect(await storeOf().findByDigest(digestOf(hex))).toMatchObject({ user: 'alice' });
  });

  it.each([
    ['begins as a digest and is none', `sha256:${hex.slice(1)}`, /it begins as a digest does/],
    ['begins as a digest in capitals', 'SHA256:x', /it begins as a digest does/],
    ['is longer than a digest', `sha256:${hex}0`, /it begins as a digest does/],
    ['is a bcrypt hash', '$2b$12$KIXQJ4oV6Zz1yJ8rXo3GpOe5w8aE', /it is a password hash/],
    ['is an argon2 hash', '$argon2id$v=19$m=65536$c2FsdA$aGFzaA', /it is a password hash/],
    ['is the user too', 'alice', /it is also the user, the name/],
    ['is the name too', 'laptop', /it is also the user, the name/],
    ['is the key_id too', 'my-own-id', /it is also the user, the name or the key_id/],
  ])('one of which %s -> refused by its id, nothing changed', async (_what, key, message) => {
    await plaintextTable('name varchar(20), key_id text');
    await insertOld('carol', 'another-key');
    await insertOld('alice', key, { name: 'laptop', key_id: 'my-own-id' });
    const before = await columnsOf();

    await expect(storeOf().adopt()).rejects.toThrow(message);

    const refused = await storeOf().adopt().catch(String);
    expect(refused).toContain('of the row with id 2: ');
    expect(refused).not.toContain(`${key} `);
    expect(await columnsOf()).toEqual(before);
  });

  it('that cannot be taken over, in a table whose ids could be keys -> named by the place in the table', async () => {
    await pool.query(`create table ${table} (id text, user_name text, api_key text)`);
    await insertOld('alice', 'alice', { id: hex });

    await expect(storeOf().adopt()).rejects.toThrow(/of the row at \(0,1\): /);
  });

  it('that come in behind the first look and cannot be taken over -> refused by id in the last step, run again to finish', async () => {
    await plaintextTable();
    await insertOld('alice', 'a-key-of-alice');
    let isLate = true;
    const client = {
      query: async (text: string, values?: unknown[]) => {
        if (isLate && text.includes('access exclusive mode')) {
          isLate = false;
          await insertOld('bob', 'bob');
        }
        return pool.query(text, values);
      },
    };

    await expect(new PostgresKeyStore({ client, table }).adopt()).rejects.toThrow(
      /of the row with id 2: it is also the user/,
    );
    expect(await storeOf().inspect()).toMatchObject({ state: 'plaintext' });

    await pool.query(`update ${table} set api_key = 'a-key-of-bob' where id = 2`);
    expect(await storeOf().adopt()).toMatchObject({ adopted: 2 });
  });

  it('whose users and names hold control characters -> blanks in their place; of nothing else, the user "unknown"', async () => {
    await plaintextTable('name varchar(20), unique (user_name)');
    await insertOld('al\u001b[2J\nice\u0085', 'k1', { name: 'lap\ttop\u007f' });
    await insertOld('\n\t', 'k2');
    await insertOld(' ', 'k3');
    await insertOld('Ærø 漢字', 'k4');

    expect(await storeOf().adopt()).toMatchObject({ adopted: 4, unowned: 2 });

    const keys = new ApiKeyManager({ store: storeOf(), legacyKeys: true });
    onTestFinished(() => keys.close());
    const users = [];
    for (const key of ['k1', 'k2', 'k3', 'k4']) users.push(await keys.verify(key));
    expect(users).toMatchObject([
      { ok: true, apiKey: { user: 'al [2J ice ', name: 'lap top ' } },
      { ok: true, apiKey: { user: 'unknown' } },
      { ok: true, apiKey: { user: 'unknown' } },
      { ok: true, apiKey: { user: 'Ærø 漢字' } },
    ]);
  });

  it("of the library's own form -> keep their key id; with a wrong checksum -> get another, nothing of the key", async () => {
    await plaintextTable();
    const own = ['key', 'a', 'my_app2_live', 'x'.repeat(32)].map((prefix) =>
      generateApiKey({ prefix }),
    );
    for (const { key } of own) await insertOld('alice', key);
    await insertOld('bob', sampleKey('independent'));
    const legacy = `sk_live_${'A1b2C3d4'.repeat(6)}`;
    await insertOld('carol', legacy);

    await storeOf().adopt({ prefix: 'old_app' });

    for (const { keyId, digest } of own)
      expect((await storeOf().findByDigest(digest))?.keyId).toBe(keyId);
    const sample = sampleKey('independent');
    expect((await storeOf().findByDigest(digestOf(sample)))?.keyId).toBe(sample.slice(0, 14));
    expect((await storeOf().findByDigest(digestOf(legacy)))?.keyId).toMatch(
      /^old_app_[0-9A-Za-z]{10}$/,
    );
  });

  it('5 000 of them -> ids that all differ and use every digit', async () => {
    await plaintextTable();
    await fill(1, 5_000);

    await storeOf().adopt();

    const { rows } = await pool.query<{ key_id: string }>(`select key_id from ${table}`);
    const ids = rows.map(({ key_id: keyId }) => keyId);
    expect(new Set(ids).size).toBe(5_000);
    expect(ids.every((id) => /^key_[0-9A-Za-z]{10}$/.test(id))).toBe(true);
    for (let place = 4; place < 14; place++)
      expect(new Set(ids.map((id) => id[place])).size).toBe(62);
  });

  it('that no request can present -> adopted and counted where active; all others get in', async () => {
    await plaintextTable();
    const [good, bad] = [
      ['x'.repeat(512), '!~"+-.', 'key'],
      [
        'two words',
        ' blank-before',
        'a,b',
        'schlüssel',
        'tab\tinside',
        'line\n',
        'x'.repeat(513),
        '\u007f',
      ],
    ];
    for (const key of [...good, ...bad]) await insertOld('alice', key);
    await insertOld('bob', 'inactive key', { is_active: false });

    const { unpresentableKeys, ...summary } = await storeOf().adopt();
    expect(summary).toMatchObject({ adopted: 12, revoked: 1, unpresentable: bad.length });
    const digests = await Promise.all(
      bad.map(async (key) => (await storeOf().findByDigest(digestOf(key)))?.keyId),
    );
    expect(unpresentableKeys).toEqual(digests.map((keyId) => ({ keyId, user: 'alice' })));

    const keys = new ApiKeyManager({ store: storeOf(), legacyKeys: true });
    onTestFinished(() => keys.close());
    const app = await guardedApp(expressVersions[0]!.express, {
      guard: requireApiKey({ source: keys }),
    });
    for (const key of good) expect((await app.raw([`X-API-Key: ${key}`])).status, key).toBe(200);
    // A line break ends the header, and Node itself refuses control characters.
    for (const key of bad.filter((each) => each !== 'line\n')) {
      expect([400, 401], key).toContain((await app.raw([`X-API-Key: ${key}`])).status);
    }
    expect(app.handler).toHaveBeenCalledTimes(good.length);
  });

  it('of each character and length -> counted as unpresentable by SQL exactly where a guard refuses them', async () => {
    const characters = Array.from({ length: 0x2ff }, (_, n) => `k${String.fromCodePoint(n + 1)}`);
    const texts = [...characters, '\u{1f511}', 'x'.repeat(512), 'x'.repeat(513), 'key\n', '-', ','];

    const { rows } = await pool.query<{ api_key: string; ok: boolean }>(
      `select k.api_key, ${presentableSql('k')} as ok from unnest($1::text[]) as k (api_key)`,
      [texts],
    );

    expect(rows.filter(({ api_key: key, ok }) => ok !== isPresentable(key))).toEqual([]);
    expect(rows).toHaveLength(texts.length);
  });

  it('null, empty, without an owner -> told apart, none is lost', async () => {
    await plaintextTable();
    await insertOld('alice', null, { is_active: true });
    await insertOld('bob', '');
    await insertOld(null, 'ownerless-key');
    await insertOld('  ', 'blank-owner-key');

    expect(await storeOf().adopt()).toEqual({
      ...none,
      unpresentable: 0,
      adopted: 2,
      unowned: 2,
      skipped: { withoutKey: 2, duplicates: 0 },
    });

    expect((await storeOf().findByDigest(digestOf('ownerless-key')))?.user).toBe('unknown');
    const { rows } = await pool.query(
      `select reason, record ->> 'user_name' as user from ${table}_skipped order by 2`,
    );
    expect(rows).toEqual([
      { reason: 'no key', user: 'alice' },
      { reason: 'no key', user: 'bob' },
    ]);
  });

  it('one key in several rows -> the active row stays, of several the oldest; the others are set aside without it', async () => {
    await plaintextTable(undefined, 'text');
    await insertOld('inactive', 'shared-key', { is_active: false });
    await insertOld('first', 'shared-key');
    await insertOld('second', 'shared-key');
    await insertOld('other', 'other-key');

    const summary = await storeOf().adopt();

    expect(summary).toMatchObject({
      adopted: 2,
      revoked: 0,
      skipped: { withoutKey: 0, duplicates: 2 },
    });
    expect(await storeOf().findByDigest(digestOf('shared-key'))).toMatchObject({ user: 'first' });
    expect(await storeOf().findByDigest(digestOf('shared-key'))).not.toHaveProperty('revokedAt');
    const { rows } = await pool.query(
      `select reason, record::text as record from ${table}_skipped`,
    );
    expect(JSON.stringify(rows)).toMatch(/second.*inactive|inactive.*second/);
    expect(JSON.stringify(rows)).not.toContain('shared-key');
  });
});

import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, generateApiKey, requireApiKey } from '../../src/index.js';
import { isPresentable } from '../../src/lib/presented-key.js';
import { presentableSql } from '../../src/stores/postgres/adopt/presentable-sql.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import {
  digestOf,
  fill,
  insertOld,
  none,
  plaintextTable,
  pool,
  storeOf,
  table,
} from '../support/plaintext-table.js';
import { sampleKey } from '../support/sample-key.js';

describe('keys', () => {
  it.each([
    ['blanks around', '  padded key \t'],
    ['another script', 'schlüssel-名前-🔑'],
    ['quotes and backslashes', `a'b"c\\d$body$`],
    ['300 characters', 'x'.repeat(300)],
    ['its own hash format', `sha256:${'a'.repeat(64)}`],
  ])('with %s -> the digest of the exact text', async (_what, key) => {
    await plaintextTable();
    await insertOld('alice', key);

    await storeOf().adopt();

    expect(await storeOf().findByDigest(digestOf(key))).toMatchObject({ user: 'alice' });
  });

  it("of the library's own form -> keep their key id; with a wrong checksum -> get another, nothing of the key", async () => {
    await plaintextTable();
    const own = ['key', 'a', 'my_app2_live', 'x'.repeat(32)].map((prefix) => generateApiKey({ prefix }));
    for (const { key } of own) await insertOld('alice', key);
    await insertOld('bob', sampleKey('independent'));
    const foreign = `sk_live_${'A1b2C3d4'.repeat(6)}`;
    await insertOld('carol', foreign);

    await storeOf().adopt({ prefix: 'old_app' });

    for (const { keyId, digest } of own) expect((await storeOf().findByDigest(digest))?.keyId).toBe(keyId);
    const sample = sampleKey('independent');
    expect((await storeOf().findByDigest(digestOf(sample)))?.keyId).toBe(sample.slice(0, 14));
    expect((await storeOf().findByDigest(digestOf(foreign)))?.keyId).toMatch(/^old_app_[0-9A-Za-z]{10}$/);
  });

  it('5 000 of them -> ids that all differ and use every digit', async () => {
    await plaintextTable();
    await fill(1, 5_000);

    await storeOf().adopt();

    const { rows } = await pool.query<{ key_id: string }>(`select key_id from ${table}`);
    const ids = rows.map(({ key_id: keyId }) => keyId);
    expect(new Set(ids).size).toBe(5_000);
    expect(ids.every((id) => /^key_[0-9A-Za-z]{10}$/.test(id))).toBe(true);
    for (let place = 4; place < 14; place++) expect(new Set(ids.map((id) => id[place])).size).toBe(62);
  });

  it('that no request can present -> adopted and counted where active; all others get in', async () => {
    await plaintextTable();
    const [good, bad] = [
      ['x'.repeat(512), '!~"+-.', 'key'],
      ['two words', ' blank-before', 'a,b', 'schlüssel', 'tab\tinside', 'line\n', 'x'.repeat(513), '\u007f'],
    ];
    for (const key of [...good, ...bad]) await insertOld('alice', key);
    await insertOld('bob', 'inactive key', { is_active: false });

    expect(await storeOf().adopt()).toMatchObject({ adopted: 12, revoked: 1, unpresentable: bad.length });

    const keys = new ApiKeyManager({ store: storeOf(), legacyKeys: true });
    onTestFinished(() => keys.close());
    const app = await guardedApp(expressVersions[0]!.express, { guard: requireApiKey({ source: keys }) });
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

    expect(summary).toMatchObject({ adopted: 2, revoked: 0, skipped: { withoutKey: 0, duplicates: 2 } });
    expect(await storeOf().findByDigest(digestOf('shared-key'))).toMatchObject({ user: 'first' });
    expect(await storeOf().findByDigest(digestOf('shared-key'))).not.toHaveProperty('revokedAt');
    const { rows } = await pool.query(`select reason, record::text as record from ${table}_skipped`);
    expect(JSON.stringify(rows)).toMatch(/second.*inactive|inactive.*second/);
    expect(JSON.stringify(rows)).not.toContain('shared-key');
  });
});

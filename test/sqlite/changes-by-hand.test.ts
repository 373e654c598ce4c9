import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, generateApiKey } from '../../src/index.js';
import type { KeyEvent } from '../../src/stores/key-event.js';
import { storedKey } from '../support/stored-key.js';
import { byHand, createPath, look, openStore } from '../support/sqlite.js';

const now = new Date('2026-11-29T22:33:35.123Z');

async function openWithKey() {
  const path = createPath();
  const store = await openStore(path);
  const key = storedKey();
  await store.insert(key, { context: { via: 'cli', by: 'olga', at: now } });
  const events = async (): Promise<Partial<KeyEvent>[]> => {
    const listed = await store.events.list({ limit: 100 });
    return listed.map(({ eventId: _id, at: _at, ...rest }) => rest).toReversed();
  };
  return { path, store, key, events };
}

describe('a change by hand', () => {
  it('of several fields in one statement -> one event, by sql, with before and after', async () => {
    const { path, key, events } = await openWithKey();
    byHand(
      path,
      `update api_keys set name = 'laptop', scopes = '["a"]', expires_at = datetime('2026-12-01'),
        paused_at = datetime('now'), paused_until = '2026-11-30T00:00:00.000Z', user_name = 'bob'`,
    );
    const { keyId } = key;
    expect((await events())[1]).toEqual({
      what: 'paused',
      keyId,
      user: 'bob',
      via: 'sql',
      changes: {
        name: [null, 'laptop'],
        scopes: [[], ['a']],
        expiresAt: [null, '2026-12-01T00:00:00.000Z'],
        user: ['alice', 'bob'],
        pausedUntil: [null, '2026-11-30T00:00:00.000Z'],
      },
    });
  });

  it('each of a life of a key -> the event that fits, none for what stays the same', async () => {
    const { path, events } = await openWithKey();
    const statements = [
      `update api_keys set name = name, revoked_at = revoked_at`,
      `update api_keys set last_used_at = datetime('now')`,
      `update api_keys set paused_at = datetime('now')`,
      `update api_keys set paused_at = null`,
      `update api_keys set revoked_at = datetime('now')`,
      `update api_keys set revoked_at = null`,
      `delete from api_keys`,
    ];
    for (const sql of statements) byHand(path, sql);
    const told = (await events()).map(({ what, via }) => `${what} ${via}`);
    expect(told).toEqual([
      'created cli',
      'paused sql',
      'resumed sql',
      'revoked sql',
      'updated sql',
      'deleted sql',
    ]);
  });

  it('a key that is added, and a successor of another -> created, and rotated under the old one', async () => {
    const { path, key, events } = await openWithKey();
    const digest = `sha256:${'ab'.repeat(32)}`;
    byHand(
      path,
      `insert into api_keys (key_id, user_name, digest, replaces) values ('key_2', 'alice', '${digest}', '${key.keyId}')`,
    );
    expect((await events()).slice(1)).toEqual([
      { what: 'created', keyId: 'key_2', user: 'alice', via: 'sql' },
      {
        what: 'rotated',
        keyId: key.keyId,
        user: 'alice',
        via: 'sql',
        changes: { replacedBy: [null, 'key_2'] },
      },
    ]);
  });

  it('a key, a digest or a token in what is changed -> masked as a whole', async () => {
    const { path, store, events } = await openWithKey();
    const { key, digest } = generateApiKey();
    const token = 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF';
    for (const secret of [key, digest, token]) {
      byHand(path, `update api_keys set name = 'was ${secret}', metadata = '{"old":"${secret}"}'`);
      const last = (await events()).at(-1);
      expect(last?.changes?.name?.[1]).toBe('<secret>');
      expect(last?.changes?.metadata?.[1]).toBe('<secret>');
    }
    expect(JSON.stringify(await store.events.list({ limit: 100 }))).not.toContain(key.slice(20));
  });

  it('a claim link that is widened, revoked or deleted by hand -> one event each', async () => {
    const { path, store, events } = await openWithKey();
    for (const claimId of ['claim_1', 'claim_2']) {
      const tokenDigest = storedKey().digest;
      const times = { createdAt: now, expiresAt: new Date('2999-01-01') };
      await store.claims.insert(
        { claimId, tokenDigest, user: 'alice', scopes: [], metadata: {}, ...times },
        { via: 'desk', at: now },
      );
    }
    byHand(path, `update api_keys_claims set scopes = '["all"]' where claim_id = 'claim_1'`);
    byHand(path, `update api_keys_claims set revoked_at = datetime('now')`);
    await store.claims.prune(new Date('2999-01-02'));
    expect((await events()).slice(3).map(({ what, claimId }) => `${what} ${claimId}`)).toEqual([
      'updated claim_1',
      'claim_revoked claim_1',
      'claim_revoked claim_2',
    ]);
  });

  it('events -> cannot be changed by hand', async () => {
    const { path } = await openWithKey();
    expect(() => byHand(path, `update api_keys_events set changed_by = 'nobody'`)).toThrow(
      /never changed/,
    );
  });

  it('insert or replace of another key with the same digest -> the old key is announced too', async () => {
    const { path, key } = await openWithKey();
    byHand(
      path,
      `insert or replace into api_keys (key_id, user_name, digest) values ('key_2', 'bob', '${key.digest}')`,
    );
    const rows = look(path, 'select key_id from api_keys_changes order by seq');
    expect(rows.map((row) => row['key_id'])).toEqual([key.keyId, key.keyId, 'key_2']);
  });

  it.each(['digest', 'key_id', 'replaces'])(
    'update or replace with the %s of another key -> that one is refused',
    async (column) => {
      const path = createPath();
      const store = await openStore(path, { pollMs: 20 });
      const keys = new ApiKeyManager({ store });
      onTestFinished(() => keys.close());
      const { record } = await keys.create({ user: 'alice' });
      const old = await keys.create({ user: 'bob' });
      const { key, record: displaced } = await keys.rotate(old.record.keyId);
      expect(await keys.verify(key)).toMatchObject({ ok: true, apiKey: { user: 'bob' } });
      byHand(
        path,
        `update or replace api_keys
          set ${column} = (select ${column} from api_keys where key_id = '${displaced.keyId}')
          where key_id = '${record.keyId}'`,
      );
      expect(look(path, 'select key_id from api_keys')).toHaveLength(2);
      await delay(200);
      const verdict = await keys.verify(key);
      expect(verdict).not.toMatchObject({ apiKey: { user: 'bob' } });
    },
  );

  it.each([
    ['a digest that is none', `digest = 'sha256:00'`],
    ['a digest in capital letters', `digest = 'sha256:${'AB'.repeat(32)}'`],
    ['a time without seconds', `expires_at = '2026-11-29 22:33'`],
    ['a time with an offset', `expires_at = '2026-11-29T22:33:35.123+01:00'`],
    ['a day that is not there', `expires_at = '2026-02-30 00:00:00'`],
    ['an hour that is not there', `expires_at = '2026-02-20 24:00:00'`],
    ['a month that is not there', `revoked_at = '2026-13-01T00:00:00.000Z'`],
    ['a number', `paused_at = 1790000000`],
    ['a word', `revoked_at = 'never'`],
    ['the year 0', `expires_at = '0000-11-29T22:33:35.123Z'`],
    ['scopes that are no JSON', `scopes = 'a b'`],
    ['scopes that are no array', `scopes = '{}'`],
    ['metadata that is no object', `metadata = '[]'`],
    ['addresses that are no array', `allowed_addresses = '"1.2.3.4"'`],
    ['no user', `user_name = null`],
    ['a negative overlap', `overlap_ms = -1`],
  ])('%s -> refused by the table', async (_what, set) => {
    const { path, store, key } = await openWithKey();
    expect(() => byHand(path, `update api_keys set ${set}`)).toThrow();
    expect(await store.findByDigest(key.digest)).toEqual(key);
  });

  it.each([
    ['Latin-1', `cast(x'4afc7267656e' as text)`],
    ['a lone continuation byte', `cast(x'41a742' as text)`],
    ['a form that is too long', `cast(x'e08080' as text)`],
    ['half of a surrogate pair', `cast(x'eda080' as text)`],
    ['an end in the middle of a character', `cast(x'41c3' as text)`],
    ['a NUL', `'bob' || char(0) || 'x'`],
    ['a NUL alone', `char(0)`],
  ])('a text with %s -> refused, and all goes on being read', async (_what, text) => {
    const { path, store, key } = await openWithKey();
    const { digest } = storedKey();
    const statements = [
      `update api_keys set name = ${text}`,
      `update api_keys set user_name = ${text}`,
      `update api_keys set scopes = '["' || ${text} || '"]'`,
      `insert into api_keys (key_id, user_name, digest) values ('key_2', ${text}, '${digest}')`,
      `insert into api_keys_claims (claim_id, user_name, token_digest, expires_at)
        values ('claim_1', ${text}, '${digest}', datetime('now'))`,
    ];
    for (const sql of statements) expect(() => byHand(path, sql), sql).toThrow();
    expect(await store.findByDigest(key.digest)).toEqual(key);
    expect(await store.events.list({ limit: 10 })).toHaveLength(1);
  });

  it('texts of many alphabets by hand -> taken as they are', async () => {
    const { path, store } = await openWithKey();
    const name = 'Jürgen § 東京 🔑 \ufffd\u{10ffff}';
    byHand(path, `update api_keys set name = '${name}', metadata = json_object('a', '${name}')`);
    expect((await store.list({ limit: 1, now }))[0]).toMatchObject({ name, metadata: { a: name } });
  });

  it('times that datetime() writes -> read as UTC, compared and sorted with the others', async () => {
    const { path, store, key } = await openWithKey();
    byHand(path, `update api_keys set expires_at = '2026-11-29 22:33:35'`);
    const at = new Date('2026-11-29T22:33:35.000Z');
    expect((await store.findByDigest(key.digest))?.expiresAt).toEqual(at);
    const expired = (ms: number) =>
      store.list({ status: 'expired', limit: 1, now: new Date(at.getTime() + ms) });
    expect([(await expired(-1)).length, (await expired(0)).length]).toEqual([0, 1]);
    byHand(path, `update api_keys set created_at = '2026-11-29 22:33:35'`);
    const later = storedKey({ createdAt: new Date(at.getTime() + 1) });
    const earlier = storedKey({ createdAt: new Date(at.getTime() - 1) });
    for (const each of [later, earlier]) await store.insert(each);
    const listed = await store.list({ limit: 10, now: at });
    expect(listed.map(({ keyId }) => keyId)).toEqual([later.keyId, key.keyId, earlier.keyId]);
  });
});

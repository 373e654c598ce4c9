import { describe, expect, it } from 'vitest';
import { ApiKeyManager, MemoryKeyStore } from '../../../src/index.js';
import { makeKey, startAccount, type AccountAppOptions } from '../../support/account-app.js';
import { expressVersions } from '../../support/guarded-app.js';
import { expectSecured, expectWebProblem } from '../../support/web-app.js';

const dayMs = 86_400_000;

describe.each(expressVersions)('the account page on $version', ({ express }) => {
  const start = (options: AccountAppOptions = {}) => startAccount({ express, ...options });

  it('the page and its files -> no data of anybody, everything from its own host', async () => {
    const { send } = await start();
    const page = await send('GET', '/account/keys', { headers: { person: 'alice' } });
    expect(page.status).toBe(200);
    expectSecured(page);
    expect(page.text).not.toMatch(/alice|Audio API|%/);
    const references = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)];
    expect(references.length).toBeGreaterThan(3);
    for (const [, reference] of references) {
      const file = await send('GET', new URL(reference!, 'http://host/account/keys').pathname);
      expect(file.status, reference).toBe(200);
      expectSecured(file);
      for (const [, imported] of file.text.matchAll(/from '([^']+)'/g)) {
        const { pathname } = new URL(imported!, 'http://host/account/keys/');
        expect((await send('GET', pathname)).status, imported).toBe(200);
      }
    }
  });

  it('markup in the options -> text in the page', async () => {
    const exampleUrl = `/?"><script>$'&`;
    const { send } = await start({ account: { exampleUrl } });
    const { text } = await send('GET', '/account/keys', { headers: { person: 'alice' } });
    expect(text).toContain('content="/?&#34;&#62;&#60;script&#62;$\'&#38;"');
  });

  it('several headers, as a guard takes them -> the page shows the first, with its scheme', async () => {
    const header = [{ name: 'Authorization', scheme: 'Bearer' }, 'X-API-Key'];
    const { send } = await start({ account: { header } });
    const { text } = await send('GET', '/account/keys', { headers: { person: 'alice' } });
    expect(text).toContain('content="Authorization"');
    expect(text).toContain('content="Bearer"');
    expect(text).not.toContain('content="X-API-Key"');
  });

  it('a session -> who is logged in, and what they may do', async () => {
    const { as } = await start({ account: { scopesFor: async (user) => [`${user}:read`] } });
    const reply = await as('alice')('GET', 'session');
    expectSecured(reply);
    expect(reply.json).toEqual({
      user: 'alice',
      scopes: ['alice:read'],
      maxKeys: 10,
      apiName: 'Audio API',
    });
  });

  it('made, used, listed, rotated, revoked -> by its user, who sees the key once', async () => {
    const { as, hello, keys } = await start();
    const ask = as('alice');
    const expiresAt = new Date(Date.now() + 30 * dayMs).toISOString();
    const made = await ask('POST', 'keys', {
      body: { name: 'laptop', scopes: ['audio:read'], expiresAt },
    });
    expect(made.status).toBe(201);
    expectSecured(made);
    const { key, record } = made.json as { key: string; record: { keyId: string } };
    expect(record).toMatchObject({
      user: 'alice',
      name: 'laptop',
      scopes: ['audio:read'],
      expiresAt,
      status: 'active',
    });
    expect(record).not.toHaveProperty('metadata');
    expect(await hello(key)).toBe(200);
    const listed = await ask('GET', 'keys');
    expect(listed.json).toMatchObject({ keys: [{ keyId: record.keyId }], next: null });
    expect(listed.text).not.toContain(key);
    expect(listed.text).not.toMatch(/sha256|digest/);

    const rotated = await ask('POST', `keys/${record.keyId}/rotate`, { body: {} });
    expect(rotated.status).toBe(201);
    const successor = rotated.json as { key: string; record: { keyId: string } };
    expect(rotated.json).toMatchObject({
      record: { name: 'laptop', replaces: record.keyId, status: 'active' },
      previous: { keyId: record.keyId, status: 'rotating' },
    });
    expect([await hello(key), await hello(successor.key)]).toEqual([200, 200]);

    const revoked = await ask('POST', `keys/${successor.record.keyId}/revoke`, { body: {} });
    expect(revoked.json).toMatchObject({
      records: [{ keyId: successor.record.keyId, status: 'revoked' }],
    });
    expect([await hello(key), await hello(successor.key)]).toEqual([200, 401]);
    const events = await keys.history({ user: 'alice' });
    expect(new Set(events.map(({ by, via }) => `${by} ${via}`))).toEqual(
      new Set(['alice account']),
    );
  });

  it('more keys than a page holds -> all of them on pages, newest first, without gaps', async () => {
    const { as, keys } = await start();
    for (let index = 0; index < 120; index++)
      await keys.create({ user: index % 2 ? 'alice' : 'bob' });
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { json } = await as('alice')('GET', `keys?cursor=${cursor}`);
      const page = json['keys'] as { keyId: string; user: string }[];
      expect(page.every(({ user }) => user === 'alice')).toBe(true);
      seen.push(...page.map(({ keyId }) => keyId));
      cursor = json['next'] as string | null;
    }
    expect(new Set(seen).size).toBe(60);
    expect(seen).toHaveLength(60);
  });

  it('uses -> counted by day and key, of the last days that are asked for', async () => {
    const now = Date.UTC(2026, 10, 29, 12);
    const store = new MemoryKeyStore();
    const keys = new ApiKeyManager({ store, now: () => now, lastUsedIntervalMs: 0 });
    const { as } = await start({ keys });
    const [alice, bob] = [await keys.create({ user: 'alice' }), await keys.create({ user: 'bob' })];
    await store.usage.add([
      { day: '2026-11-29', ...whose(alice), admitted: 3, refused: 1 },
      { day: '2026-11-28', ...whose(alice), admitted: 2, refused: 0 },
      { day: '2026-10-01', ...whose(alice), admitted: 9, refused: 0 },
      { day: '2026-11-29', ...whose(bob), admitted: 7, refused: 0 },
    ]);
    const { keyId } = alice.record;
    expect((await as('alice')('GET', 'usage')).json).toEqual({
      usage: [
        { day: '2026-11-28', keyId, user: 'alice', admitted: 2, refused: 0 },
        { day: '2026-11-29', keyId, user: 'alice', admitted: 3, refused: 1 },
      ],
      from: '2026-10-31',
      to: '2026-11-29',
    });
    const today = (await as('alice')('GET', 'usage?days=1')).json;
    expect(today).toMatchObject({ usage: [{ day: '2026-11-29' }], from: '2026-11-29' });
  });

  it('a store that counts no uses -> no such address', async () => {
    const store = new MemoryKeyStore();
    Object.defineProperty(store, 'usage', { value: undefined });
    const { as } = await start({ keys: new ApiKeyManager({ store }) });
    expectWebProblem(await as('alice')('GET', 'usage'), 404, 'not_found');
  });

  it('GET and HEAD of every address -> nothing changed', async () => {
    const { as, keys, send } = await start();
    const { record } = await makeKey(as('alice'));
    const before = await keys.list();
    for (const method of ['GET', 'HEAD'])
      for (const path of ['session', 'keys', 'usage', `keys/${record.keyId}/revoke`, 'x'])
        await as('alice')(method, path);
    await send('GET', '/account/keys', { headers: { person: 'alice' } });
    expect(await keys.list()).toEqual(before);
  });
});

const whose = ({ record: { keyId, user } }: { record: { keyId: string; user: string } }) => ({
  keyId,
  user,
});

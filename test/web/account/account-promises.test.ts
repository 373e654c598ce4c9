import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, MemoryKeyStore, requireApiKey } from '../../../src/index.js';
import { accountKeys } from '../../../src/web.js';
import { makeKey, startAccount, type AccountAppOptions } from '../../support/account-app.js';
import { expressVersions } from '../../support/guarded-app.js';
import { expectSecured, expectWebProblem, memoryKeys } from '../../support/web-app.js';

const dayMs = 86_400_000;

describe.each(expressVersions)('what the account page promises on $version', ({ express }) => {
  const start = (options: AccountAppOptions = {}) => startAccount({ express, ...options });

  it.each([undefined, null])(
    'userOf gives %s -> 401 everywhere, and nothing made',
    async (user) => {
      const { as, keys, send } = await start({ account: { userOf: () => user } });
      const { record } = await keys.create({ user: 'alice' });
      for (const [method, path, body] of [
        ['GET', 'session', undefined],
        ['GET', 'keys', undefined],
        ['GET', 'usage', undefined],
        ['GET', 'nothing', undefined],
        ['POST', 'keys', { name: 'x' }],
        ['POST', `keys/${record.keyId}/rotate`, {}],
        ['POST', `keys/${record.keyId}/revoke`, {}],
      ] as const)
        expectWebProblem(await as('alice')(method, path, { body }), 401, 'not_logged_in');
      const page = await send('GET', '/account/keys');
      expectSecured(page);
      expect(page.status).toBe(401);
      expect(page.headers['content-type']).toMatch(/^text\/html/);
      expect(page.text).toMatch(/You are not logged in/);
      expect((await keys.list()).map(({ revokedAt }) => revokedAt)).toEqual([undefined]);
    },
  );

  it('not logged in, and a loginUrl -> the page leads there, the API says 401', async () => {
    const { send } = await start({ account: { loginUrl: '/login?next=/account' } });
    const page = await send('GET', '/account/keys');
    expectSecured(page);
    expect([page.status, page.headers['location']]).toEqual([302, '/login?next=/account']);
    expectWebProblem(await send('GET', '/account/keys/api/keys'), 401, 'not_logged_in');
  });

  it("another user's key and one that does not exist -> one answer, byte for byte", async () => {
    const { as, keys } = await start();
    const { record } = await keys.create({ user: 'bob' });
    for (const path of ['keys/ID/rotate', 'keys/ID/revoke', 'keys?cursor=ID']) {
      const method = path.includes('?') ? 'GET' : 'POST';
      const attempt = async (keyId: string) => {
        const body = method === 'POST' ? {} : undefined;
        const reply = await as('alice')(method, path.replace('ID', keyId), { body });
        expectWebProblem(reply, 404, 'not_found');
        return [reply.lines, reply.text];
      };
      expect(await attempt(record.keyId)).toEqual(await attempt('key_0000000000'));
    }
    expect(await keys.get(record.keyId)).toEqual(record);
  });

  it.each([
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'none' },
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://host', Host: 'host' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
  ])('a change with %j -> 403, and nothing changed', async (headers) => {
    const { as, keys } = await start();
    const { record } = await makeKey(as('alice'));
    for (const [path, body] of [
      ['keys', { name: 'x' }],
      [`keys/${record.keyId}/rotate`, {}],
      [`keys/${record.keyId}/revoke`, {}],
    ] as const) {
      const reply = await as('alice')('POST', path, {
        headers: headers as unknown as Record<string, string>,
        body,
      });
      expectWebProblem(reply, 403, 'cross_origin');
    }
    expect(await keys.list()).toMatchObject([{ keyId: record.keyId }]);
    expect(await keys.get(record.keyId)).not.toHaveProperty('revokedAt');
  });

  it.each([{ 'Sec-Fetch-Site': 'same-origin' }, { Origin: 'http://host', Host: 'host' }])(
    'a change with %j -> done',
    async (headers) => {
      const { as } = await start();
      const reply = await as('alice')('POST', 'keys', {
        headers: headers as unknown as Record<string, string>,
        body: { name: 'x' },
      });
      expect(reply.status).toBe(201);
    },
  );

  it.each(['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data', ''])(
    'a change as %j -> 415, and nothing changed',
    async (type) => {
      const { as, keys } = await start();
      const { record } = await makeKey(as('alice'));
      for (const path of ['keys', `keys/${record.keyId}/rotate`, `keys/${record.keyId}/revoke`]) {
        const headers: Record<string, string> = type === '' ? {} : { 'Content-Type': type };
        const reply = await as('alice')('POST', path, { headers, body: '{"name":"x"}' });
        expectWebProblem(reply, 415, 'unsupported_media_type');
      }
      expect(await keys.list()).toMatchObject([{ keyId: record.keyId }]);
      expect(await keys.get(record.keyId)).not.toHaveProperty('revokedAt');
    },
  );

  it.each([
    ['another one', () => ['audio:read'], ['audio:read', 'keys:manage']],
    ['any at all, by default', undefined, ['audio:read']],
  ])('a new key with a scope beyond: %s -> 403, and no key', async (_what, scopesFor, scopes) => {
    const { as, keys } = await start({ account: { scopesFor } });
    const reply = await as('alice')('POST', 'keys', { body: { name: 'x', scopes } });
    expectWebProblem(reply, 403, 'scope_not_allowed');
    expect(await keys.list()).toEqual([]);
  });

  it('a rotation after scopesFor has shrunk -> the successor keeps what is still allowed', async () => {
    let allowed = ['a', 'b', 'c'];
    const { as } = await start({ account: { scopesFor: () => allowed } });
    const { record } = await makeKey(as('alice'), { scopes: ['a', 'b'] });
    allowed = ['b', 'c'];
    const reply = await as('alice')('POST', `keys/${record.keyId}/rotate`, { body: {} });
    expect(reply.status).toBe(201);
    expect(reply.json).toMatchObject({
      record: { scopes: ['b'] },
      previous: { scopes: ['a', 'b'] },
    });
  });

  it('a successor revoked while a new key is made -> 409, and the new key ends at once', async () => {
    class Racing extends ApiKeyManager {
      successor = '';
      override async create(...[options]: Parameters<ApiKeyManager['create']>) {
        if (this.successor !== '') await this.revoke(this.successor);
        return super.create(options);
      }
    }
    const keys = new Racing({ store: new MemoryKeyStore() });
    const { as } = await start({ keys, account: { maxKeys: 5 } });
    const { record } = await keys.create({ user: 'alice' });
    keys.successor = (await keys.rotate(record.keyId)).record.keyId;
    const { status, json } = await as('alice')('POST', 'keys', { body: { name: 'laptop' } });
    expect([status, json['code']]).toEqual([409, 'too_many_keys']);
    const [made] = await keys.list({ user: 'alice' });
    expect(made).toMatchObject({ name: 'laptop', revokedAt: expect.any(Date) as Date });
    const [ended] = await keys.history({ keyId: made!.keyId });
    expect(ended).toMatchObject({ what: 'revoked', by: 'alice', via: 'account' });
  });

  it('fifty new keys at once -> as many as maxKeys, the others 409; rotating goes on', async () => {
    const { as, keys } = await start({ account: { maxKeys: 3 } });
    await keys.create({ user: 'bob' });
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => as('alice')('POST', 'keys', { body: { name: 'x' } })),
    );
    const made = replies.filter(({ status }) => status === 201);
    expect(made).toHaveLength(3);
    for (const reply of replies)
      if (reply.status !== 201) expectWebProblem(reply, 409, 'too_many_keys');
    expect(await keys.list({ user: 'alice' })).toHaveLength(3);
    const { record } = made[0]!.json as { record: { keyId: string } };
    const rotated = await as('alice')('POST', `keys/${record.keyId}/rotate`, { body: {} });
    expect(rotated.status).toBe(201);
    const more = await as('alice')('POST', 'keys', { body: { name: 'x' } });
    expectWebProblem(more, 409, 'too_many_keys');
  });

  it('a paused key -> counts; an expired or a revoked one -> does not', async () => {
    let now = Date.now();
    const keys = new ApiKeyManager({ store: new MemoryKeyStore(), now: () => now });
    const { as } = await start({ keys, account: { maxKeys: 1 } });
    const { record } = await makeKey(as('alice'), {
      expiresAt: new Date(now + dayMs).toISOString(),
    });
    await keys.pause(record.keyId);
    const attempt = () => as('alice')('POST', 'keys', { body: { name: 'x' } });
    expectWebProblem(await attempt(), 409, 'too_many_keys');
    now += dayMs;
    const second = await makeKey(as('alice'));
    expectWebProblem(await attempt(), 409, 'too_many_keys');
    await as('alice')('POST', `keys/${second.record.keyId}/revoke`, { body: {} });
    expect((await attempt()).status).toBe(201);
  });

  it('keys rotated and their successors revoked -> the old ones count until they end', async () => {
    let now = Date.now();
    const keys = new ApiKeyManager({ store: new MemoryKeyStore(), now: () => now });
    const { as } = await start({ keys, account: { maxKeys: 2 } });
    for (let index = 0; index < 2; index++) {
      const { record } = await makeKey(as('alice'));
      const { json } = await as('alice')('POST', `keys/${record.keyId}/rotate`, { body: {} });
      const successor = json['record'] as { keyId: string };
      await as('alice')('POST', `keys/${successor.keyId}/revoke`, { body: {} });
    }
    const attempt = () => as('alice')('POST', 'keys', { body: { name: 'x' } });
    expectWebProblem(await attempt(), 409, 'too_many_keys');
    now += dayMs;
    expect((await attempt()).status).toBe(201);
  });

  it('a manager that allows fewer keys -> old keys without successors count there too', async () => {
    const keys = new ApiKeyManager({ store: new MemoryKeyStore(), maxKeysPerUser: 2 });
    const { as } = await start({ keys });
    for (let index = 0; index < 2; index++) {
      const { record } = await makeKey(as('alice'));
      const { json } = await as('alice')('POST', `keys/${record.keyId}/rotate`, { body: {} });
      const successor = json['record'] as { keyId: string };
      await as('alice')('POST', `keys/${successor.keyId}/revoke`, { body: {} });
    }
    const attempt = await as('alice')('POST', 'keys', { body: { name: 'x' } });
    expectWebProblem(attempt, 409, 'too_many_keys');
    expect(await keys.list({ user: 'alice', status: 'active' })).toHaveLength(2);
  });

  it('a paused key whose successor was revoked -> counts until it ends', async () => {
    const { as, keys } = await start({ account: { maxKeys: 1 } });
    const { record } = await makeKey(as('alice'));
    const { json } = await as('alice')('POST', `keys/${record.keyId}/rotate`, { body: {} });
    await keys.pause(record.keyId, { until: new Date(Date.now() + 60_000) });
    const successor = json['record'] as { keyId: string };
    await as('alice')('POST', `keys/${successor.keyId}/revoke`, { body: {} });
    const attempt = () => as('alice')('POST', 'keys', { body: { name: 'x' } });
    expectWebProblem(await attempt(), 409, 'too_many_keys');
    await keys.revoke(record.keyId);
    expect((await attempt()).status).toBe(201);
  });

  it('more rotated keys than are listed at once, without successors -> all count', async () => {
    const { as, keys } = await start({ account: { maxKeys: 1_001 } });
    for (let index = 0; index < 1_001; index++) {
      const { record } = await keys.create({ user: 'alice' });
      const { record: successor } = await keys.rotate(record.keyId);
      await keys.revoke(successor.keyId);
    }
    const attempt = await as('alice')('POST', 'keys', { body: { name: 'x' } });
    expectWebProblem(attempt, 409, 'too_many_keys');
  });

  it('a rotated key beside its living successor -> counts as one', async () => {
    const { as } = await start({ account: { maxKeys: 2 } });
    const { record } = await makeKey(as('alice'));
    await as('alice')('POST', `keys/${record.keyId}/rotate`, { body: {} });
    await makeKey(as('alice'));
    const more = await as('alice')('POST', 'keys', { body: { name: 'x' } });
    expectWebProblem(more, 409, 'too_many_keys');
  });

  it('an end at this very moment -> 400, and no key', async () => {
    const now = Date.now();
    const keys = new ApiKeyManager({ store: new MemoryKeyStore(), now: () => now });
    const { as } = await start({ keys });
    const expiresAt = new Date(now).toISOString();
    const reply = await as('alice')('POST', 'keys', { body: { name: 'x', expiresAt } });
    expectWebProblem(reply, 400, 'malformed_request');
    expect(await keys.list()).toEqual([]);
  });

  it('a rotation while the key before still works -> 409; once it has ended, 201', async () => {
    let now = Date.now();
    const keys = new ApiKeyManager({ store: new MemoryKeyStore(), now: () => now });
    const { as, hello } = await start({ keys, account: { overlapMs: 1_000 } });
    const first = await makeKey(as('alice'));
    const rotate = (keyId: string) => as('alice')('POST', `keys/${keyId}/rotate`, { body: {} });
    const second = (await rotate(first.record.keyId)).json as { record: { keyId: string } };
    expectWebProblem(await rotate(first.record.keyId), 409, 'already_rotating');
    expectWebProblem(await rotate(second.record.keyId), 409, 'already_rotating');
    expect(await keys.list({ user: 'alice' })).toHaveLength(2);
    now += 999;
    expect(await hello(first.key)).toBe(200);
    expectWebProblem(await rotate(second.record.keyId), 409, 'already_rotating');
    now += 1;
    expect((await rotate(second.record.keyId)).status).toBe(201);
  });

  it('a rotation while the paused key before may be resumed -> 409', async () => {
    const { as, keys } = await start();
    const first = await makeKey(as('alice'));
    const rotate = (keyId: string) => as('alice')('POST', `keys/${keyId}/rotate`, { body: {} });
    const second = (await rotate(first.record.keyId)).json as { record: { keyId: string } };
    await keys.pause(first.record.keyId);
    expectWebProblem(await rotate(second.record.keyId), 409, 'already_rotating');
    await keys.revoke(first.record.keyId);
    expect((await rotate(second.record.keyId)).status).toBe(201);
  });

  it('a revoked key rotated -> 409 conflict, and why', async () => {
    const { as, keys } = await start();
    const { record } = await makeKey(as('alice'));
    await keys.revoke(record.keyId);
    const reply = await as('alice')('POST', `keys/${record.keyId}/rotate`, { body: {} });
    expectWebProblem(reply, 409, 'conflict');
    expect(reply.json['detail']).toMatch(/revoked/);
  });

  it('a request that a guard let in by an API key -> 403, whatever userOf says', async () => {
    const keys = memoryKeys();
    const userOf = vi.fn(() => 'alice');
    const before = [requireApiKey({ source: keys })];
    const { as, send } = await start({ keys, before, account: { userOf } });
    const { key, record } = await keys.create({ user: 'alice', scopes: ['keys:manage'] });
    const headers = { 'X-API-Key': key };
    for (const [method, path, body] of [
      ['GET', 'session', undefined],
      ['GET', 'keys', undefined],
      ['POST', 'keys', { name: 'x' }],
      ['POST', `keys/${record.keyId}/rotate`, {}],
      ['POST', `keys/${record.keyId}/revoke`, {}],
    ] as const) {
      const reply = await as('alice')(method, path, { headers, body });
      expectWebProblem(reply, 403, 'key_cannot_manage_keys');
    }
    expectWebProblem(
      await send('GET', '/account/keys', { headers }),
      403,
      'key_cannot_manage_keys',
    );
    expect(userOf).not.toHaveBeenCalled();
    expect(await keys.list()).toHaveLength(1);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('the session is down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the session is down'))],
    ['gives an empty text', () => ''],
    ['gives blanks', () => '  '],
    ['gives a number', () => 7],
    ['gives an object', () => ({ id: 'alice' })],
    ['gives a list', () => ['alice']],
    ['gives true', () => true],
    ['gives false', () => false],
    ['gives a text that is too long', () => 'a'.repeat(257)],
    ['gives a control character', () => 'alice\n'],
  ])("userOf %s -> 503, logged, and nobody's keys", async (_what, userOf) => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    const { as, keys, send } = await start({ account: { userOf: userOf as () => string } });
    await keys.create({ user: 'alice', name: 'secret plan' });
    for (const [method, path, body] of [
      ['GET', 'session', undefined],
      ['GET', 'keys', undefined],
      ['POST', 'keys', { name: 'x' }],
    ] as const) {
      const reply = await as('alice')(method, path, { body });
      expectWebProblem(reply, 503, 'service_unavailable');
      expect(reply.headers['retry-after']).toBe('5');
      expect(reply.text).not.toMatch(/secret plan|session is down/);
    }
    expect((await send('GET', '/account/keys')).status).toBe(503);
    expect(await keys.list()).toHaveLength(1);
    expect(log.mock.calls.length).toBeLessThanOrEqual(1);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
    ['gives a text', () => 'audio:read'],
    ['gives what is no scope', () => ['a b']],
    ['gives nothing', () => undefined],
  ])('scopesFor %s -> 503, and no key', async (_what, scopesFor) => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    const account = { scopesFor: scopesFor as () => string[] };
    const { as, keys } = await start({ account });
    const reply = await as('alice')('POST', 'keys', { body: { name: 'x' } });
    expectWebProblem(reply, 503, 'service_unavailable');
    expect(await keys.list()).toEqual([]);
  });

  it.each([
    ['keys', {}, '"name"'],
    ['keys', { name: '' }, '"name"'],
    ['keys', { name: 7 }, '"name"'],
    ['keys', { name: 'x'.repeat(257) }, '"name"'],
    ['keys', { name: 'x\u0000' }, '"name"'],
    ['keys', { name: 'x', scopes: 'audio:read' }, '"scopes"'],
    ['keys', { name: 'x', scopes: ['a b'] }, '"scopes"'],
    ['keys', { name: 'x', expiresAt: 'soon' }, '"expiresAt"'],
    ['keys', { name: 'x', expiresAt: 5 }, '"expiresAt"'],
    ['keys', { name: 'x', expiresAt: null }, '"expiresAt"'],
    ['keys', { name: 'x', expiresAt: '2020-01-01T00:00:00.000Z' }, '"expiresAt"'],
    ['keys', { name: 'x', expiresAt: '2999-02-31T00:00:00.000Z' }, '"expiresAt"'],
    ['keys', { name: 'x', user: 'bob' }, '"user"'],
    ['keys', { name: 'x', metadata: {} }, '"metadata"'],
    ['keys', { name: 'x', by: 'bob' }, '"by"'],
    ['keys', [], 'understood'],
    ['keys', '{', 'understood'],
    ['keys/ID/rotate', { overlapMs: 1 }, '"overlapMs"'],
    ['keys/ID/revoke', { family: true }, '"family"'],
  ])(
    'POST %s with %j -> 400 that names what is wrong, nothing changed',
    async (path, body, what) => {
      const { as, keys } = await start();
      const { record } = await keys.create({ user: 'alice' });
      const headers = { 'Content-Type': 'application/json' };
      const reply = await as('alice')('POST', path.replace('ID', record.keyId), { headers, body });
      expectWebProblem(reply, 400, 'malformed_request');
      expect(reply.json['detail']).toContain(what);
      expect(reply.text).not.toMatch(/soon|2999|bob/);
      expect(await keys.list()).toEqual([record]);
    },
  );

  it.each(['days=0', 'days=367', 'days=1.5', 'days=x', 'days=1&days=2', 'user=bob', 'keyId=x'])(
    'GET usage?%s -> 400',
    async (query) => {
      const { as } = await start();
      expectWebProblem(await as('alice')('GET', `usage?${query}`), 400, 'malformed_request');
    },
  );

  it('an end later than the manager allows -> 400 lifetime_too_long, and no key', async () => {
    const store = new MemoryKeyStore();
    const keys = new ApiKeyManager({ store, maxLifetimeMs: dayMs });
    const { as } = await start({ keys });
    const expiresAt = new Date(Date.now() + 2 * dayMs).toISOString();
    const reply = await as('alice')('POST', 'keys', { body: { name: 'x', expiresAt } });
    expectWebProblem(reply, 400, 'lifetime_too_long');
    expect(await keys.list()).toEqual([]);
  });

  it('wrong methods, addresses and sizes -> refused', async () => {
    const { as } = await start();
    expectWebProblem(await as('alice')('DELETE', 'keys'), 405, 'method_not_allowed');
    for (const path of ['', 'nothing', 'keys/x', 'keys/x/pause', '__proto__', 'keys/rotate'])
      expectWebProblem(await as('alice')('GET', path), 404, 'not_found');
    const large = { name: 'x'.repeat(100_000) };
    expectWebProblem(await as('alice')('POST', 'keys', { body: large }), 413, 'content_too_large');
  });
});

describe('accountKeys', () => {
  const keys = memoryKeys();
  const userOf = () => 'alice';

  it.each([
    ['no options', undefined, /"keys" must be an ApiKeyManager/],
    ['no userOf', { keys }, /"userOf" must be a function/],
    ['a user in place of userOf', { keys, userOf: 'alice' }, /"userOf" must be a function/],
    ['no manager', { keys: {}, userOf }, /"keys" must be an ApiKeyManager/],
    ['scopes in place of scopesFor', { keys, userOf, scopesFor: ['a'] }, /"scopesFor" must be a/],
    ['a misspelled option', { keys, userOf, scopeFor: () => [] }, /did you mean "scopesFor"/],
    ['maxKeys of text', { keys, userOf, maxKeys: '10' }, /"maxKeys" must be a number/],
    ['a loginUrl that is a script', { keys, userOf, loginUrl: 'javascript:x' }, /"loginUrl" must/],
    ['a loginUrl elsewhere', { keys, userOf, loginUrl: '//evil.example' }, /"loginUrl" must/],
    ['an exampleUrl that is none', { keys, userOf, exampleUrl: 'hello' }, /"exampleUrl" must/],
    ['a blank apiName', { keys, userOf, apiName: ' ' }, /"apiName" must/],
    ['a publicUrl without a host', { keys, userOf, publicUrl: '/x' }, /"publicUrl" must/],
    ['a header that is none', { keys, userOf, header: 'a b' }, /"header" must/],
    ['no header', { keys, userOf, header: [] }, /"header" must/],
    ['a scheme beside a list', { keys, userOf, header: ['a'], scheme: 'b' }, /"scheme" must/],
    ['a scheme that is none', { keys, userOf, scheme: 'a b' }, /"scheme" must/],
  ])('%s -> a TypeError at set-up that says what is wrong', (_name, options, message) => {
    const mount = () => accountKeys(options as unknown as Parameters<typeof accountKeys>[0]);
    expect(mount).toThrow(TypeError);
    expect(mount).toThrow(message);
  });

  it.each([
    ['maxKeys', 0],
    ['maxKeys', 1.5],
    ['maxKeys', 1_000_001],
    ['overlapMs', -1],
    ['overlapMs', 366 * dayMs],
  ])('%s of %d -> a RangeError at set-up', (name, value) => {
    const mount = () => accountKeys({ keys, userOf, [name]: value });
    expect(mount).toThrow(RangeError);
    expect(mount).toThrow(`"${name}" must be an integer from`);
  });
});

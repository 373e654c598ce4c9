import { describe, expect, it, vi } from 'vitest';
import { ApiKeyManager, MemoryKeyStore } from '../../src/index.js';
import { keyDesk } from '../../src/web.js';
import { expressVersions } from '../support/guarded-app.js';
import {
  expectSecured,
  expectWebProblem,
  memoryKeys,
  startWebApp,
  type SendOptions,
  type WebReply,
} from '../support/web-app.js';

const dayMs = 86_400_000;

/** Every address of the API, with a body that would do something. */
const addresses = [
  ['GET', 'session', undefined],
  ['GET', 'keys', undefined],
  ['POST', 'keys', { user: 'eve' }],
  ['POST', 'keys/ID/rotate', {}],
  ['POST', 'keys/ID/revoke', {}],
  ['GET', 'claims', undefined],
  ['POST', 'claims', { user: 'eve' }],
  ['POST', 'claims/ID/withdraw', {}],
  ['GET', 'nothing', undefined],
] as const;

describe.each(expressVersions)('the key desk on $version', ({ express }) => {
  /** A desk, its operator's key, and a way to ask it with that key. */
  async function start(options: Parameters<typeof startWebApp>[0] = {}) {
    const app = await startWebApp({
      express,
      desk: { claimUrl: '/claim', apiName: 'Audio API' },
      ...options,
    });
    const operator = await app.keys.create({ user: 'bob', scopes: ['keys:manage'] });
    const ask = (method: string, path: string, { headers, ...rest }: SendOptions = {}): Promise<WebReply> =>
      app.send(method, `/keys/api/${path}`, { headers: { 'X-API-Key': operator.key, ...headers }, ...rest });
    return { ...app, operator, ask };
  }

  it('the page -> no data, the same for everyone, its files from its own host', async () => {
    const { send, operator } = await start();
    const anonymous = await send('GET', '/keys');
    expectSecured(anonymous);
    expect(await send('GET', '/keys', { headers: { 'X-API-Key': operator.key } })).toEqual(anonymous);
    expect(anonymous.text).not.toMatch(/bob|Audio API/);
    const references = [...anonymous.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(
      ([, reference]) => reference!,
    );
    for (const reference of references) {
      const file = await send('GET', new URL(reference, 'http://host/keys').pathname);
      expect(file.status, reference).toBe(200);
      for (const [, imported] of file.text.matchAll(/from '([^']+)'/g)) {
        expect((await send('GET', new URL(imported!, 'http://host/keys/').pathname)).status, imported).toBe(
          200,
        );
      }
    }
  });

  it.each(addresses)(
    '%s %s without a key, with an unknown one, without the scope, expired, revoked -> refused, and nothing is done',
    async (method, path, body) => {
      const { keys, send, operator } = await start();
      const { claim } = await keys.createClaim({ user: 'alice' });
      const reader = await keys.create({
        user: 'alice',
        scopes: ['audio:read', 'keys', 'keys:manager', 'KEYS:MANAGE'],
      });
      const expired = await keys.create({ user: 'bob', scopes: ['keys:manage'], expiresAt: new Date(1) });
      const revoked = await keys.create({ user: 'bob', scopes: ['keys:manage'] });
      await keys.revoke(revoked.record.keyId);
      const before = [await keys.list(), await keys.listClaims()];
      const id = path.startsWith('claims') ? claim.claimId : operator.record.keyId;
      const attempts = [
        [undefined, 401, 'missing_api_key'],
        ['wrong', 401, 'invalid_api_key'],
        [reader.key, 403, 'insufficient_scope'],
        [expired.key, 401, 'expired_api_key'],
        [revoked.key, 401, 'revoked_api_key'],
      ] as const;
      for (const [key, status, code] of attempts) {
        const headers = key === undefined ? {} : { 'X-API-Key': key };
        const reply = await send(method, `/keys/api/${path.replace('ID', id)}`, { headers, body });
        expectWebProblem(reply, status, code);
      }
      const withCookie = await send(method, `/keys/api/${path.replace('ID', id)}`, {
        headers: { Cookie: `X-API-Key=${operator.key}` },
        body,
      });
      expectWebProblem(withCookie, 401, 'missing_api_key');
      const lastUse = ({ lastUsedAt: _lastUsedAt, ...record }: { lastUsedAt?: Date }) => record;
      expect([(await keys.list()).map(lastUse), await keys.listClaims()]).toEqual([
        before[0]!.map(lastUse),
        before[1],
      ]);
    },
  );

  it('session -> whose key it is and what the desk offers, and not the key', async () => {
    const { ask, operator } = await start({ desk: { claimUrl: '/claim', knownScopes: ['audio:read'] } });
    const reply = await ask('GET', 'session');
    expectSecured(reply);
    expect(reply.json).toEqual({
      keyId: operator.record.keyId,
      user: 'bob',
      knownScopes: ['audio:read'],
      keepsClaims: true,
      claimUrl: '/claim',
    });
    expect(reply.headers['set-cookie']).toBeUndefined();
  });

  it('a new key -> shown once in the answer, listed without it, and it works', async () => {
    const { ask, send } = await start();
    const expiresAt = new Date(Date.now() + 5 * dayMs).toISOString();
    const made = await ask('POST', 'keys', {
      body: {
        user: '<i>alice</i>',
        name: 'x',
        scopes: ['audio:read'],
        expiresAt,
        metadata: { a: '<script>' },
      },
    });
    expect(made.status).toBe(201);
    expectSecured(made);
    const { key, record } = made.json as { key: string; record: { keyId: string } };
    expect(record).toMatchObject({
      user: '<i>alice</i>',
      expiresAt,
      status: 'expiring',
      metadata: { a: '<script>' },
    });
    const listed = await ask('GET', 'keys');
    expect(listed.json['keys']).toContainEqual(record);
    expect(listed.text).not.toContain(key);
    expect(listed.text).not.toMatch(/sha256|digest/);
    expect((await send('GET', '/hello', { headers: { 'X-API-Key': key } })).status).toBe(200);
  });

  it('a claim link -> its token once, listed as open without it, then used with its key', async () => {
    const { ask, send } = await start();
    const made = await ask('POST', 'claims', {
      body: { user: 'alice', scopes: ['audio:read'], claimTtlMs: 3_600_000 },
    });
    expect(made.status).toBe(201);
    const { token, claim } = made.json as { token: string; claim: { claimId: string } };
    const open = await ask('GET', 'claims?status=open');
    expect(open.json).toEqual({ claims: [claim], next: null });
    expect(open.text).not.toContain(token);
    const { keyId } = (await send('POST', '/claim/claim', { body: { token } })).json;
    expect((await ask('GET', 'claims?status=open')).json).toEqual({ claims: [], next: null });
    expect((await ask('GET', 'claims')).json['claims']).toMatchObject([{ status: 'used', keyId }]);
    const late = await ask('POST', `claims/${claim.claimId}/withdraw`, { body: {} });
    expectWebProblem(late, 409, 'conflict');
  });

  it('a link that is withdrawn -> says so, and yields nothing', async () => {
    const { ask, keys, send } = await start();
    const { token, claim } = await keys.createClaim({ user: 'alice' });
    const reply = await ask('POST', `claims/${claim.claimId}/withdraw`, { body: {} });
    expect(reply.json['claim']).toMatchObject({ claimId: claim.claimId, status: 'withdrawn' });
    expectWebProblem(await send('POST', '/claim/claim', { body: { token } }), 404, 'claim_not_usable');
  });

  it('a rotation -> the new key, the old one with its end, and a second one refused', async () => {
    const { ask, keys, send } = await start();
    const old = await keys.create({ user: 'alice' });
    const path = `keys/${old.record.keyId}/rotate`;
    const reply = await ask('POST', path, { body: { overlapMs: dayMs, startsAt: 'now' } });
    expect(reply.status).toBe(201);
    const { key, record, previous } = reply.json as { key: string; record: unknown; previous: unknown };
    expect([record, previous]).toMatchObject([
      { user: 'alice', replaces: old.record.keyId, status: 'active' },
      { keyId: old.record.keyId, status: 'rotating' },
    ]);
    for (const each of [key, old.key]) {
      expect((await send('GET', '/hello', { headers: { 'X-API-Key': each } })).status).toBe(200);
    }
    expectWebProblem(await ask('POST', path, { body: {} }), 409, 'conflict');
  });

  it('a revocation, with the family -> all of it at once, on the next request', async () => {
    const { ask, keys, send } = await start();
    const old = await keys.create({ user: 'alice' });
    const { key } = await keys.rotate(old.record.keyId);
    const reply = await ask('POST', `keys/${old.record.keyId}/revoke`, { body: { family: true } });
    expect(reply.json['records']).toMatchObject([{ status: 'revoked' }, { status: 'revoked' }]);
    for (const each of [key, old.key]) {
      const hello = await send('GET', '/hello', { headers: { 'X-API-Key': each } });
      expect(hello.json['code']).toBe('revoked_api_key');
    }
  });

  it("the operator's own key revoked -> the desk is closed to it on the next request", async () => {
    const { ask, operator } = await start();
    expect((await ask('POST', `keys/${operator.record.keyId}/revoke`, { body: {} })).status).toBe(200);
    expectWebProblem(await ask('GET', 'keys'), 401, 'revoked_api_key');
  });

  it('search, status and pages -> what is asked for, without repeats or gaps', async () => {
    const { ask, keys } = await start();
    for (let index = 0; index < 120; index++) {
      await keys.create({ user: index % 2 ? 'Alice' : 'carol', name: `job ${index}` });
    }
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { json } = await ask('GET', `keys?search=aLICE&status=active&cursor=${cursor}`);
      const page = json['keys'] as { keyId: string; user: string }[];
      expect(page.length).toBeLessThanOrEqual(50);
      expect(new Set(page.map(({ user }) => user))).toEqual(new Set(['Alice']));
      seen.push(...page.map(({ keyId }) => keyId));
      cursor = json['next'] as string | null;
    }
    expect(new Set(seen).size).toBe(60);
    expect(seen).toHaveLength(60);
    expect((await ask('GET', 'keys?search=job%2011&limit=5')).json['keys']).toHaveLength(5);
    expect((await ask('GET', 'keys?search=%25')).json).toEqual({ keys: [], next: null });
    expect((await ask('GET', 'keys?user=alice')).json).toEqual({ keys: [], next: null });
  });

  it.each([
    ['GET', 'keys?status=dead', undefined],
    ['GET', 'keys?limit=1001', undefined],
    ['GET', 'keys?limit=x', undefined],
    ['GET', 'keys?limit=5&limit=6', undefined],
    ['GET', 'keys?sort=user', undefined],
    ['GET', 'claims?user=alice', undefined],
    ['POST', 'keys', {}],
    ['POST', 'keys', { user: '' }],
    ['POST', 'keys', { user: 'a', scopes: 'audio' }],
    ['POST', 'keys', { user: 'a', scopes: ['a b'] }],
    ['POST', 'keys', { user: 'a', expiresAt: 'soon' }],
    ['POST', 'keys', { user: 'a', expiresAt: 5 }],
    ['POST', 'keys', { user: 'a', digest: 'sha256:x' }],
    ['POST', 'keys', { user: 'a', __proto__: null, prefix: 'x' }],
    ['POST', 'keys', [{ user: 'a' }]],
    ['POST', 'keys', '{"user":"a"'],
    ['POST', 'claims', { user: 'a', claimTtlMs: 59_999 }],
    ['POST', 'claims', { user: 'a', claimTtlMs: 31 * dayMs }],
    ['POST', 'claims', { user: 'a', expiresAt: '2020-01-01T00:00:00Z' }],
    ['POST', 'keys/key_x/rotate', { overlapMs: -1 }],
    ['POST', 'keys/key_x/rotate', { startsAt: 'later' }],
    ['POST', 'keys/key_x/revoke', { family: 'yes' }],
  ])('%s %s with %j -> 400, no value repeated, nothing made', async (method, path, body) => {
    const { ask, keys } = await start();
    const reply = await ask(method, path, {
      body,
      headers: body ? { 'Content-Type': 'application/json' } : {},
    });
    expectWebProblem(reply, 400, 'malformed_request');
    expect(reply.text).not.toMatch(/soon|later|dead|audio"/);
    expect([await keys.list(), await keys.listClaims()]).toMatchObject([[{ user: 'bob' }], []]);
  });

  it.each([
    ['POST', 'keys/key_0000000000/revoke', {}],
    ['POST', 'keys/key_0000000000/rotate', {}],
    ['POST', 'claims/claim_0000000000/withdraw', {}],
    ['GET', 'keys?cursor=key_0000000000', undefined],
    ['GET', 'claims?cursor=claim_0000000000', undefined],
    ['GET', 'keys/key_0000000000', undefined],
    ['GET', 'keys/key_0000000000/revoke/more', undefined],
    ['POST', 'keys/%ff%00/revoke', {}],
    ['GET', '', undefined],
    ['POST', '__proto__', {}],
  ])('%s %s, which is not there -> 404', async (method, path, body) => {
    const { ask } = await start();
    expectWebProblem(await ask(method, path, { body }), 404, 'not_found');
  });

  it('wrong methods, types, sizes and origins -> refused, and nothing is made', async () => {
    const { ask, keys } = await start();
    const wrong = await ask('DELETE', 'keys');
    expectWebProblem(wrong, 405, 'method_not_allowed');
    expect(wrong.headers['allow']).toBe('GET, HEAD, POST');
    expectWebProblem(await ask('POST', 'keys', { body: 'user=eve' }), 415, 'unsupported_media_type');
    const large = { user: 'eve', metadata: { filler: 'x'.repeat(1_000_000) } };
    expectWebProblem(await ask('POST', 'keys', { body: large }), 413, 'content_too_large');
    const elsewhere = { headers: { 'Sec-Fetch-Site': 'cross-site' }, body: { user: 'eve' } };
    expectWebProblem(await ask('POST', 'keys', elsewhere), 403, 'cross_origin');
    expect(await keys.list()).toHaveLength(1);
  });

  it('a store that fails -> 503 with Retry-After, its words kept from the answer', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const store = new MemoryKeyStore();
    const { ask } = await start({ keys: new ApiKeyManager({ store }) });
    await ask('GET', 'session');
    vi.spyOn(store, 'list').mockRejectedValue(new TypeError('the store is down'));
    const reply = await ask('GET', 'keys');
    expectWebProblem(reply, 503, 'service_unavailable');
    expect(reply.headers['retry-after']).toBe('5');
    expect(reply.text).not.toContain('down');
  });
});

describe('keyDesk', () => {
  const keys = memoryKeys();

  it.each([
    ['no options', undefined, /"keys" must be an ApiKeyManager/],
    ['a function', { keys: () => true }, /"keys" must be an ApiKeyManager/],
    ['a source that knows everybody', { keys: { verify: () => true } }, /"keys" must be an ApiKeyManager/],
    ['a copy of a manager', { keys: Object.assign({}, keys) }, /"keys" must be an ApiKeyManager/],
    ['an option that would open it', { keys, optional: true }, /unknown option "optional"/],
    ['an option that would need no scope', { keys, scopes: [] }, /unknown option "scopes"/],
    ['a source beside the manager', { keys, source: () => true }, /unknown option "source"/],
    ['a guard of its own', { keys, guard: false }, /unknown option "guard"/],
    ['a claimUrl with a fragment', { keys, claimUrl: '/claim#x' }, /"claimUrl" must be/],
    ['a claimUrl that is a script', { keys, claimUrl: 'javascript:alert(1)' }, /"claimUrl" must be/],
    ['scopes that are none', { keys, knownScopes: ['a b'] }, /"knownScopes" must be/],
  ])('%s -> a TypeError at set-up that says what is wrong', (_name, options, message) => {
    const mount = () => keyDesk(options as unknown as Parameters<typeof keyDesk>[0]);
    expect(mount).toThrow(TypeError);
    expect(mount).toThrow(message);
  });

  it('requireHttps over plain HTTP -> 403 for good and bad keys alike', async () => {
    const { send, keys: manager } = await startWebApp({ desk: { requireHttps: true } });
    const { key } = await manager.create({ user: 'bob', scopes: ['keys:manage'] });
    for (const each of [key, 'wrong']) {
      expectWebProblem(
        await send('GET', '/keys/api/keys', { headers: { 'X-API-Key': each } }),
        403,
        'https_required',
      );
    }
  });
});

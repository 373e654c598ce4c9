import { describe, expect, it, vi } from 'vitest';
import { ApiKeyManager, MemoryKeyStore } from '../../src/index.js';
import { keyDesk } from '../../src/web.js';
import { startDesk } from '../support/desk-app.js';
import { expressVersions } from '../support/guarded-app.js';
import {
  expectWebProblem,
  keysWithoutClaims,
  memoryKeys,
  startWebApp,
  type WebAppOptions,
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
  ['POST', 'claims/ID/revoke', {}],
  ['GET', 'nothing', undefined],
] as const;

describe.each(expressVersions)('what the key desk refuses on $version', ({ express }) => {
  const start = (options: WebAppOptions = {}) => startDesk({ express, ...options });

  it.each(addresses)(
    '%s %s without a key, with an unknown one, without the scope, expired, revoked -> refused, and nothing is done',
    async (method, path, body) => {
      const { keys, send, operator } = await start();
      const { claim } = await keys.createClaim({ user: 'alice' });
      const reader = await keys.create({
        user: 'alice',
        scopes: ['audio:read', 'keys', 'keys:manager', 'KEYS:MANAGE'],
      });
      const expired = await keys.create({
        user: 'bob',
        scopes: ['keys:manage'],
        expiresAt: new Date(1),
      });
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
    ['POST', 'claims', { user: 'a', claimTtlMs: 0 }],
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

  it('a time that is none -> the detail shows how to write one in JSON', async () => {
    const { ask } = await start();
    const { text } = await ask('POST', 'keys', { body: { user: 'a', expiresAt: 'soon' } });
    expect(text).toContain(String.raw`\"expiresAt\" must be a time such as 2027-01-31T12:00:00Z`);
  });

  it.each([
    ['POST', 'keys/key_0000000000/revoke', {}],
    ['POST', 'keys/key_0000000000/rotate', {}],
    ['POST', 'claims/claim_0000000000/revoke', {}],
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
    expectWebProblem(
      await ask('POST', 'keys', { body: 'user=eve' }),
      415,
      'unsupported_media_type',
    );
    const large = { user: 'eve', metadata: { filler: 'x'.repeat(1_000_000) } };
    expectWebProblem(await ask('POST', 'keys', { body: large }), 413, 'content_too_large');
    const elsewhere = { headers: { 'Sec-Fetch-Site': 'cross-site' }, body: { user: 'eve' } };
    expectWebProblem(await ask('POST', 'keys', elsewhere), 403, 'cross_origin');
    const rewritten = { Origin: 'http://portal.example', Host: 'internal:3000' };
    const refused = await ask('POST', 'keys', { headers: rewritten, body: { user: 'eve' } });
    expectWebProblem(refused, 403, 'cross_origin');
    expect(refused.json['detail']).toMatch(/"publicUrl"/);
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

  it('a store that fails with a RangeError while a link is made -> 503, its words kept from the answer', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const store = new MemoryKeyStore();
    const { ask } = await start({ keys: new ApiKeyManager({ store }) });
    vi.spyOn(store.claims, 'insert').mockRejectedValue(new RangeError('the store is down'));
    const reply = await ask('POST', 'claims', { body: { user: 'alice' } });
    expectWebProblem(reply, 503, 'service_unavailable');
    expect(reply.text).not.toContain('down');
  });
});

describe('keyDesk', () => {
  const keys = memoryKeys();

  it.each([
    ['no options', undefined, /"keys" must be an ApiKeyManager/],
    ['a function', { keys: () => true }, /"keys" must be an ApiKeyManager/],
    [
      'a source that knows everybody',
      { keys: { verify: () => true } },
      /"keys" must be an ApiKeyManager/,
    ],
    ['a copy of a manager', { keys: Object.assign({}, keys) }, /"keys" must be an ApiKeyManager/],
    ['an option that would open it', { keys, optional: true }, /unknown option "optional"/],
    ['an option that would need no scope', { keys, scopes: [] }, /unknown option "scopes"/],
    ['a source beside the manager', { keys, source: () => true }, /unknown option "source"/],
    ['a guard of its own', { keys, guard: false }, /unknown option "guard"/],
    ['a claimUrl with a fragment', { keys, claimUrl: '/claim#x' }, /"claimUrl" must be/],
    [
      'a claimUrl that is a script',
      { keys, claimUrl: 'javascript:alert(1)' },
      /"claimUrl" must be/,
    ],
    ['scopes that are none', { keys, knownScopes: ['a b'] }, /"knownScopes" must be/],
  ])('%s -> a TypeError at set-up that says what is wrong', (_name, options, message) => {
    const mount = () => keyDesk(options as unknown as Parameters<typeof keyDesk>[0]);
    expect(mount).toThrow(TypeError);
    expect(mount).toThrow(message);
  });

  it('a claimUrl, and a store that keeps no claim links -> a TypeError at set-up', () => {
    const mount = () => keyDesk({ keys: keysWithoutClaims(), claimUrl: '/claim' });
    expect(mount).toThrow(TypeError);
    expect(mount).toThrow(/keeps no claim links/);
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

import { describe, expect, it } from 'vitest';
import { ApiKeyManager, MemoryKeyStore } from '../../src/index.js';
import { startDesk } from '../support/desk-app.js';
import { expressVersions } from '../support/guarded-app.js';
import {
  expectSecured,
  expectWebProblem,
  keysWithoutClaims,
  type WebAppOptions,
} from '../support/web-app.js';

const dayMs = 86_400_000;

describe.each(expressVersions)('the key desk on $version', ({ express }) => {
  const start = (options: WebAppOptions = {}) => startDesk({ express, ...options });

  it('the page -> no data, the same for everyone, its files from its own host', async () => {
    const { send, operator } = await start();
    const anonymous = await send('GET', '/keys');
    expectSecured(anonymous);
    const known = await send('GET', '/keys', { headers: { 'X-API-Key': operator.key } });
    // All but the clock.
    for (const part of ['status', 'lines', 'text'] as const)
      expect(known[part]).toEqual(anonymous[part]);
    expect(anonymous.text).not.toMatch(/bob|Audio API/);
    const references = [...anonymous.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(
      ([, reference]) => reference!,
    );
    for (const reference of references) {
      const file = await send('GET', new URL(reference, 'http://host/keys').pathname);
      expect(file.status, reference).toBe(200);
      for (const [, imported] of file.text.matchAll(/from '([^']+)'/g)) {
        expect(
          (await send('GET', new URL(imported!, 'http://host/keys/').pathname)).status,
          imported,
        ).toBe(200);
      }
    }
  });

  it('session -> whose key it is and what the desk offers, and not the key', async () => {
    const { ask, operator } = await start({
      desk: { claimUrl: '/claim', knownScopes: ['audio:read'] },
    });
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

  it("no claimUrl -> the claim page's usual address; a store without claim links -> no hand-over", async () => {
    const usual = await start({ desk: {} });
    expect((await usual.ask('GET', 'session')).json).toMatchObject({
      keepsClaims: true,
      claimUrl: '/claim',
    });
    const without = await start({ keys: keysWithoutClaims(), desk: {} });
    const { json } = await without.ask('GET', 'session');
    expect(json).toMatchObject({ keepsClaims: false });
    expect(json).not.toHaveProperty('claimUrl');
    for (const [method, body] of [
      ['GET', undefined],
      ['POST', { user: 'alice' }],
    ] as const)
      expectWebProblem(await without.ask(method, 'claims', { body }), 404, 'not_found');
  });

  it.each([
    ['behind', Date.UTC(2001, 0, 1)],
    ['ahead', Date.UTC(2301, 0, 1)],
  ])(
    'a manager with a clock far %s -> statuses and new links by that clock',
    async (_where, now) => {
      const keys = new ApiKeyManager({ store: new MemoryKeyStore(), now: () => now });
      const { ask } = await start({ keys });
      const at = (days: number) => new Date(now + days * dayMs).toISOString();
      const statusOf = async (days: number) => {
        const reply = await ask('POST', 'keys', { body: { user: 'alice', expiresAt: at(days) } });
        return (reply.json['record'] as { status: string }).status;
      };
      expect([await statusOf(-1), await statusOf(1), await statusOf(60)]).toEqual([
        'expired',
        'expiring',
        'active',
      ]);
      const old = await keys.create({ user: 'alice' });
      const rotated = await ask('POST', `keys/${old.record.keyId}/rotate`, {
        body: { overlapMs: dayMs },
      });
      expect(rotated.json['previous']).toMatchObject({ status: 'rotating' });
      const listed = await ask('GET', 'keys?user=alice');
      const statuses = (listed.json['keys'] as { status: string }[]).map(({ status }) => status);
      expect(statuses.toSorted()).toEqual(['active', 'active', 'expired', 'expiring', 'rotating']);

      const made = await ask('POST', 'claims', { body: { user: 'alice', expiresAt: at(1) } });
      expect(made.status).toBe(201);
      expect(made.json['claim']).toMatchObject({ status: 'open' });
      expect((await ask('GET', 'claims')).json['claims']).toMatchObject([{ status: 'open' }]);
      const late = await ask('POST', 'claims', { body: { user: 'alice', expiresAt: at(-1) } });
      expectWebProblem(late, 400, 'malformed_request');
      expect(late.json['detail']).toContain('"expiresAt" must be in the future');
    },
  );

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
    const late = await ask('POST', `claims/${claim.claimId}/revoke`, { body: {} });
    expectWebProblem(late, 409, 'conflict');
  });

  it('a link that is revoked -> says so, and yields nothing', async () => {
    const { ask, keys, send } = await start();
    const { token, claim } = await keys.createClaim({ user: 'alice' });
    const reply = await ask('POST', `claims/${claim.claimId}/revoke`, { body: {} });
    expect(reply.json['claim']).toMatchObject({ claimId: claim.claimId, status: 'revoked' });
    expectWebProblem(
      await send('POST', '/claim/claim', { body: { token } }),
      404,
      'claim_not_usable',
    );
  });

  it('a rotation -> the new key, the old one with its end, and a second one refused', async () => {
    const { ask, keys, send } = await start();
    const old = await keys.create({ user: 'alice' });
    const path = `keys/${old.record.keyId}/rotate`;
    const reply = await ask('POST', path, { body: { overlapMs: dayMs, startsAt: 'now' } });
    expect(reply.status).toBe(201);
    const { key, record, previous } = reply.json as {
      key: string;
      record: unknown;
      previous: unknown;
    };
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
    expect((await ask('POST', `keys/${operator.record.keyId}/revoke`, { body: {} })).status).toBe(
      200,
    );
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
});

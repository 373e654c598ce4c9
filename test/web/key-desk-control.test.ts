import { describe, expect, it } from 'vitest';
import { ApiKeyManager, MemoryKeyStore } from '../../src/index.js';
import { startDesk } from '../support/desk-app.js';
import { expressVersions } from '../support/guarded-app.js';
import { expectWebProblem, type WebAppOptions } from '../support/web-app.js';

const hourMs = 3_600_000;

describe.each(expressVersions)(
  'what operators control at the key desk on $version',
  ({ express }) => {
    const start = (options: WebAppOptions = {}) => startDesk({ express, ...options });

    it('a key paused until an instant, then resumed -> refused meanwhile, and the history says by whom', async () => {
      const { ask, keys, send } = await start();
      const { key, record } = await keys.create({ user: 'alice' });
      const hello = async () =>
        (await send('GET', '/hello', { headers: { 'X-API-Key': key } })).json['code'];
      const until = new Date(Date.now() + hourMs).toISOString();
      const paused = await ask('POST', `keys/${record.keyId}/pause`, {
        body: { until, reason: 'too many calls' },
      });
      expect(paused.status).toBe(200);
      expect(paused.json['record']).toMatchObject({ status: 'paused', pausedUntil: until });
      expect(await hello()).toBe('paused_api_key');
      expect((await ask('GET', 'keys?status=paused')).json['keys']).toHaveLength(1);
      const resumed = await ask('POST', `keys/${record.keyId}/resume`, { body: {} });
      expect(resumed.json['record']).toMatchObject({ status: 'active' });
      expect(await hello()).toBeUndefined();
      const history = await ask('GET', `keys/${record.keyId}/history`);
      expect(history.json).toMatchObject({
        events: [
          { what: 'resumed', by: 'bob', via: 'desk' },
          { what: 'paused', by: 'bob', via: 'desk', reason: 'too many calls' },
          { what: 'created', via: 'code' },
        ],
        next: null,
      });
    });

    it('every change -> by the operator, at the desk, for the reason that was given', async () => {
      const { ask, keys } = await start();
      const reason = 'ticket 12';
      const made = await ask('POST', 'keys', { body: { user: 'alice', reason } });
      const { keyId } = made.json['record'] as { keyId: string };
      await ask('POST', `keys/${keyId}/update`, { body: { name: 'laptop', reason } });
      await ask('POST', `keys/${keyId}/rotate`, { body: { reason } });
      await ask('POST', `keys/${keyId}/revoke`, { body: { family: true, reason } });
      const link = await ask('POST', 'claims', { body: { user: 'alice', reason } });
      const { claimId } = link.json['claim'] as { claimId: string };
      await ask('POST', `claims/${claimId}/revoke`, { body: { reason } });
      const events = await keys.history({ user: 'alice' });
      expect(events.map(({ what }) => what).toSorted()).toEqual([
        'claim_created',
        'claim_revoked',
        'created',
        'created',
        'revoked',
        'revoked',
        'rotated',
        'updated',
      ]);
      for (const event of events) expect(event).toMatchObject({ by: 'bob', via: 'desk', reason });
    });

    it('a key claimed on the page -> by the claim', async () => {
      const { ask, keys, send } = await start();
      const { token } = (await ask('POST', 'claims', { body: { user: 'alice' } })).json;
      expect((await send('POST', '/claim/claim', { body: { token } })).status).toBe(201);
      const events = await keys.history({ user: 'alice', limit: 1 });
      expect(events).toMatchObject([{ what: 'claimed', via: 'claim' }]);
    });

    it('a key changed -> its user, addresses, scopes and end, and the rest as it was', async () => {
      const { ask, keys } = await start();
      const { record } = await keys.create({ user: 'alice', name: 'laptop', metadata: { a: 1 } });
      const expiresAt = new Date(Date.now() + hourMs).toISOString();
      const body = {
        user: 'carol',
        scopes: ['x'],
        allowedAddresses: ['203.0.113.0/24'],
        expiresAt,
      };
      const reply = await ask('POST', `keys/${record.keyId}/update`, { body });
      expect(reply.json['record']).toMatchObject({ ...body, name: 'laptop', metadata: { a: 1 } });
      const cleared = { name: null, allowedAddresses: [], expiresAt: null };
      await ask('POST', `keys/${record.keyId}/update`, { body: cleared });
      const after = await keys.get(record.keyId);
      for (const field of ['name', 'allowedAddresses', 'expiresAt'])
        expect(after).not.toHaveProperty(field);
    });

    it('somebody leaves -> all their keys and links revoked in one step, and nobody else’s', async () => {
      const { ask, keys } = await start();
      for (let index = 0; index < 3; index++) await keys.create({ user: 'al/ice@x' });
      await keys.createClaim({ user: 'al/ice@x' });
      const path = `users/${encodeURIComponent('al/ice@x')}/revoke`;
      const reply = await ask('POST', path, { body: { reason: 'left' } });
      expect(reply.json['keys']).toHaveLength(3);
      expect(reply.json['claims']).toMatchObject([{ status: 'revoked' }]);
      expect(await keys.list({ status: 'active' })).toMatchObject([{ user: 'bob' }]);
    });

    it('uses -> of a key or a user, by day, in the days that are asked for', async () => {
      const store = new MemoryKeyStore();
      const { ask } = await start({ keys: new ApiKeyManager({ store }) });
      const count = { keyId: 'key_a', user: 'alice', admitted: 2, refused: 1 };
      await store.usage.add([
        { ...count, day: '2026-11-01' },
        { ...count, day: '2026-11-02', keyId: 'key_b' },
      ]);
      const range = 'from=2026-11-01&to=2026-11-02';
      expect((await ask('GET', `usage?${range}`)).json['usage']).toHaveLength(2);
      expect((await ask('GET', `usage?${range}&keyId=key_a`)).json).toEqual({
        usage: [{ ...count, day: '2026-11-01' }],
        from: '2026-11-01',
        to: '2026-11-02',
      });
    });

    it('a history of many events -> pages, newest first; that of a deleted key stays', async () => {
      let now = Date.now();
      const keys = new ApiKeyManager({ store: new MemoryKeyStore(), now: () => now });
      const { ask } = await start({ keys });
      const { keyId } = (await keys.create({ user: 'alice' })).record;
      for (let index = 0; index < 4; index++) await keys.update(keyId, { name: `name ${index}` });
      const first = await ask('GET', `keys/${keyId}/history?limit=3`);
      expect(first.json['events']).toHaveLength(3);
      const rest = await ask(
        'GET',
        `keys/${keyId}/history?limit=3&cursor=${String(first.json['next'])}`,
      );
      expect(rest.json).toMatchObject({
        events: [{ what: 'updated' }, { what: 'created' }],
        next: null,
      });
      await keys.revoke(keyId);
      now += hourMs;
      await keys.prune({ olderThanMs: 1 });
      const deleted = await ask('GET', `keys/${keyId}/history?limit=1`);
      expect(deleted.json['events']).toMatchObject([{ what: 'deleted' }]);
    });

    it.each([
      ['keys/ID/pause', { until: 'soon' }, '"until"'],
      ['keys/ID/pause', { until: '2020-01-01T00:00:00.000Z' }, '"until" must be in the future'],
      ['keys/ID/pause', { by: 'carol' }, '"by"'],
      ['keys/ID/pause', { reason: '' }, '"reason"'],
      ['keys/ID/pause', { reason: 'x'.repeat(1_001) }, '"reason"'],
      ['keys/ID/resume', { until: 1 }, '"until"'],
      ['keys/ID/update', { user: '' }, '"user"'],
      ['keys/ID/update', { allowedAddresses: ['host.example'] }, '"allowedAddresses"'],
      ['keys/ID/update', { key: 'x' }, '"key"'],
      ['users/alice/revoke', { user: 'bob' }, 'understood'],
      ['users/alice/revoke', { by: 'carol' }, '"by"'],
      ['users/%20/revoke', {}, '"user"'],
      ['claims/claim_0000000000/revoke', { family: true }, '"family"'],
    ])(
      'POST %s with %j -> 400 that names what is wrong, nothing changed',
      async (path, body, what) => {
        const { ask, keys } = await start();
        const { record } = await keys.create({ user: 'alice' });
        const reply = await ask('POST', path.replace('ID', record.keyId), { body });
        expectWebProblem(reply, 400, 'malformed_request');
        expect(reply.json['detail']).toContain(what);
        expect(await keys.get(record.keyId)).toEqual(record);
      },
    );

    it.each(['pause', 'resume', 'update', 'rotate', 'revoke'])(
      'POST keys/<unknown>/%s -> 404',
      async (verb) => {
        const { ask } = await start();
        const reply = await ask('POST', `keys/key_0000000000/${verb}`, { body: {} });
        expectWebProblem(reply, 404, 'not_found');
      },
    );

    it.each(['usage?from=2026-11-31', 'usage?from=2026-11-02&to=2026-11-01', 'usage?days=3'])(
      'GET %s -> 400',
      async (path) => {
        const { ask } = await start();
        expectWebProblem(await ask('GET', path), 400, 'malformed_request');
      },
    );

    it('a revoked key paused -> 409 that says why', async () => {
      const { ask, keys } = await start();
      const { keyId } = (await keys.create({ user: 'alice' })).record;
      await keys.revoke(keyId);
      const reply = await ask('POST', `keys/${keyId}/pause`, { body: {} });
      expectWebProblem(reply, 409, 'conflict');
      expect(reply.json['detail']).toMatch(/revoked/);
    });

    it('more keys than the manager allows -> 409 at the desk; a claim leaves its link open', async () => {
      const keys = new ApiKeyManager({ store: new MemoryKeyStore(), maxKeysPerUser: 1 });
      const { ask, send } = await start({ keys });
      const first = await keys.create({ user: 'alice' });
      const reply = await ask('POST', 'keys', { body: { user: 'alice' } });
      expectWebProblem(reply, 409, 'too_many_keys');
      const { token } = await keys.createClaim({ user: 'alice' });
      const claim = () => send('POST', '/claim/claim', { body: { token } });
      const refused = await claim();
      expectWebProblem(refused, 409, 'too_many_keys');
      expect(refused.json['detail']).toMatch(/Revoke one .* the link still works/);
      await keys.revoke(first.record.keyId);
      expect((await claim()).status).toBe(201);
    });

    it('a store that cannot pause, count, tell or revoke at once -> none of these addresses', async () => {
      const store = new MemoryKeyStore();
      for (const part of ['pause', 'resume', 'usage', 'events', 'revokeUser'])
        Object.defineProperty(store, part, { value: undefined });
      const { ask, send, keys } = await start({ keys: new ApiKeyManager({ store }) });
      const { keyId } = (await keys.create({ user: 'alice' })).record;
      for (const path of [`keys/${keyId}/pause`, `keys/${keyId}/resume`, 'users/alice/revoke'])
        expectWebProblem(await ask('POST', path, { body: {} }), 404, 'not_found');
      for (const path of ['usage', `keys/${keyId}/history`])
        expectWebProblem(await ask('GET', path), 404, 'not_found');
      const { text } = await send('GET', '/keys');
      expect(text).toContain('name="abilities" content="claims"');
    });
  },
);

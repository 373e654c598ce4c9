import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiKeyManager, MemoryKeyStore, requireApiKey } from '../../src/index.js';
import { expectRefused } from '../support/expect-refused.js';
import { expressVersions, guardedApp } from '../support/guarded-app.js';
import { openManager } from '../support/open-manager.js';

const open = () => openManager({ store: new MemoryKeyStore() });

describe.each(expressVersions)(
  'a key that is limited to addresses, under $version',
  ({ express }) => {
    async function serve(allowedAddresses: string[], trust?: unknown) {
      const { keys } = open();
      const { key, record } = await keys.create({ user: 'alice', allowedAddresses });
      const settings = trust === undefined ? {} : { 'trust proxy': trust };
      const app = await guardedApp(express, { guard: requireApiKey({ source: keys }), settings });
      const from = (address?: string) =>
        app.get({ 'X-API-Key': key, ...(address && { 'X-Forwarded-For': address }) });
      return { keys, record, key, from };
    }

    it('a request from an allowed address -> admitted', async () => {
      const { from } = await serve(['127.0.0.0/8']);
      expect(await from()).toMatchObject({ status: 200, handlerRuns: 1 });
    });

    it('a request from another address -> 403 address_not_allowed', async () => {
      const { from } = await serve(['203.0.113.0/24']);
      expectRefused(await from(), { status: 403, code: 'address_not_allowed' });
    });

    it('an address that a client makes up -> does not count without a trusted proxy', async () => {
      const { from } = await serve(['203.0.113.0/24']);
      expect(await from('203.0.113.7')).toMatchObject({ status: 403, handlerRuns: 0 });
    });

    it('behind one proxy -> what the proxy says counts, and nothing before it', async () => {
      const { from } = await serve(['203.0.113.0/24'], 1);
      expect((await from('203.0.113.7')).status).toBe(200);
      expect((await from('::ffff:203.0.113.7')).status).toBe(200);
      expect((await from('198.51.100.1')).status).toBe(403);
      expect((await from('203.0.113.7, 198.51.100.1')).status).toBe(403);
      expect((await from('nonsense')).status).toBe(403);
    });

    it('"trust proxy" that is true -> 503 with a cause that says how to set it; other keys work', async () => {
      const { keys } = open();
      const held = await keys.create({ user: 'alice', allowedAddresses: ['203.0.113.0/24'] });
      const free = await keys.create({ user: 'bob' });
      const errors: unknown[] = [];
      const guard = requireApiKey({
        source: keys,
        onRefused: (error, _req, res) => {
          errors.push(error);
          res.status(error.status).end();
        },
      });
      const app = await guardedApp(express, { guard, settings: { 'trust proxy': true } });
      const refused = await app.get({ 'X-API-Key': held.key, 'X-Forwarded-For': '203.0.113.7' });
      expect(refused).toMatchObject({ status: 503, handlerRuns: 0 });
      const message = expect.stringContaining("app.set('trust proxy', 1)");
      expect(errors).toMatchObject([{ code: 'key_source_failed', cause: { message } }]);
      expect((await app.get({ 'X-API-Key': free.key })).status).toBe(200);
    });
  },
);

describe('a key that is limited to addresses', () => {
  it('without a request, or without an address in it -> address_not_allowed', async () => {
    const { keys } = open();
    const { key } = await keys.create({ user: 'alice', allowedAddresses: ['0.0.0.0/0', '::/0'] });
    const refused = { ok: false, code: 'address_not_allowed' };
    expect(await keys.verify(key)).toEqual(refused);
    expect(await keys.verify(key, {} as never)).toEqual(refused);
    expect(await keys.verify(key, { ip: undefined } as never)).toEqual(refused);
    expect(await keys.verify(key, { ip: '198.51.100.7' } as never)).toMatchObject({ ok: true });
  });

  it('paused as well, or over -> that is what it is refused for', async () => {
    const { keys } = open();
    const { key, record } = await keys.create({ user: 'a', allowedAddresses: ['203.0.113.7'] });
    await keys.pause(record.keyId);
    expect(await keys.verify(key)).toMatchObject({ code: 'paused_api_key' });
    await keys.revoke(record.keyId);
    expect(await keys.verify(key)).toMatchObject({ code: 'revoked_api_key' });
  });

  it('addresses that are given, changed and taken away -> hold from the next request on', async () => {
    const { keys, codeOf } = open();
    const { key, record } = await keys.create({ user: 'alice' });
    expect(await codeOf(key)).toBe('admitted');
    await keys.update(record.keyId, { allowedAddresses: ['203.0.113.7'] });
    expect(await codeOf(key)).toBe('address_not_allowed');
    await keys.update(record.keyId, { allowedAddresses: [] });
    expect(await codeOf(key)).toBe('admitted');
  });

  it('its successor, and the key of a claim link -> are limited to them too', async () => {
    const { keys } = open();
    const allowedAddresses = ['203.0.113.7'];
    const { record } = await keys.create({ user: 'alice', allowedAddresses });
    expect((await keys.rotate(record.keyId)).record.allowedAddresses).toEqual(allowedAddresses);
    const { token } = await keys.createClaim({ user: 'alice', allowedAddresses });
    expect((await keys.claim(token)).record.allowedAddresses).toEqual(allowedAddresses);
  });

  it.each([
    ['a text', '203.0.113.7', /"allowedAddresses" must be an array/],
    ['a host name', ['203.0.113.7', 'example.com'], /entry 2 is no IP address/],
    ['bits behind the prefix', ['203.0.113.7/24'], /entry 1 has bits set behind its prefix/],
    ['a hole in the array', [, '203.0.113.7'], /entry 1 is no IP address/], // oxlint-disable-line no-sparse-arrays
    ['101 addresses', Array.from({ length: 101 }, () => '203.0.113.7'), /at most 100/],
    ['null', null, /"allowedAddresses" must be an array/],
  ])('%s -> an ArgumentError, and nothing is made', async (_what, value, message) => {
    const { keys } = open();
    const allowedAddresses = value as never;
    const { record } = await keys.create({ user: 'alice' });
    for (const call of [
      () => keys.create({ user: 'a', allowedAddresses }),
      () => keys.createClaim({ user: 'a', allowedAddresses }),
      () => keys.update(record.keyId, { allowedAddresses }),
    ]) {
      const refused = call();
      await expect(refused).rejects.toThrow(message);
      await expect(refused).rejects.toMatchObject({
        name: 'TypeError',
        option: 'allowedAddresses',
      });
    }
    expect([await keys.list(), await keys.listClaims()]).toEqual([[record], []]);
  });

  it('rules that a person broke in the database -> a fault for this key, not an open door', async () => {
    const store = new MemoryKeyStore();
    const keys = new ApiKeyManager({ store });
    onTestFinished(() => keys.close());
    const { key, record } = await keys.create({ user: 'alice' });
    await store.update(record.keyId, { allowedAddresses: ['example.com'] });
    await expect(keys.verify(key)).rejects.toThrow('its allowed addresses are not a list');
  });
});

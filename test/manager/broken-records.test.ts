import express from 'express';
import supertest from 'supertest';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiKeyManager, requireApiKey, type StoredKey } from '../../src/index.js';
import { CountingStore } from '../support/counting-store.js';

const broken: readonly (readonly [what: string, change: object])[] = [
  ['a digest of another algorithm', { digest: `md5:${'0'.repeat(32)}` }],
  ["another key's digest", { digest: `sha256:${'0'.repeat(64)}` }],
  ['no digest', { digest: null }],
  ['no key id', { keyId: null }],
  ['no user', { user: null }],
  ['an empty user', { user: '' }],
  ['scopes that are text', { scopes: 'admin' }],
  ['scopes of null', { scopes: null }],
  ['a null among the scopes', { scopes: ['a', null] }],
  ['metadata that are a list', { metadata: [1] }],
  ['metadata that are text', { metadata: 'x' }],
  ['a name that is a number', { name: 7 }],
  ['a creation that is text', { createdAt: '2030-01-01' }],
  ['an expiry that is no time', { expiresAt: new Date(Number.NaN) }],
  ['an expiry that is text', { expiresAt: '2999-01-01' }],
  ['a revocation that is true', { revokedAt: true }],
];

describe('a record that a person broke by hand', () => {
  it.each(broken)(
    '%s -> its key is refused with a report, every other key works',
    async (_what, change) => {
      const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
      onTestFinished(() => logged.mockRestore());
      const store = new CountingStore();
      const keys = new ApiKeyManager({ store });
      onTestFinished(() => keys.close());
      const [bad, good] = [
        await keys.create({ user: 'alice' }),
        await keys.create({ user: 'bob' }),
      ];
      store.alter = (key) => (key?.keyId === bad.record.keyId ? { ...key, ...change } : key);
      const app = express().get(
        '/',
        requireApiKey({ source: keys }),
        (_req, res) => void res.json('in'),
      );

      await expect(keys.verify(bad.key)).rejects.toThrow(/^the record of .+ is broken: /);
      const refused = await supertest(app).get('/').set('X-API-Key', bad.key);
      expect([refused.status, refused.body.code]).toEqual([503, 'key_source_failed']);
      const admitted = await supertest(app).get('/').set('X-API-Key', good.key);
      expect(admitted.status).toBe(200);
      // The store itself works: one bad record is no outage.
      await expect(keys.verify(bad.key)).rejects.toThrow(/is broken: /);
    },
  );

  it('an expiry in the past, or metadata and a name of null -> no more than expired, or absent', async () => {
    const store = new CountingStore();
    const keys = new ApiKeyManager({ store });
    onTestFinished(() => keys.close());
    const { key } = await keys.create({ user: 'alice' });
    store.alter = (stored) => ({ ...stored!, metadata: null, name: null }) as unknown as StoredKey;
    expect(await keys.verify(key)).toMatchObject({ ok: true, apiKey: { metadata: {} } });
    store.alter = (stored) => ({ ...stored!, expiresAt: new Date(0) });
    store.watcher!.changed('');
    expect(await keys.verify(key)).toMatchObject({ ok: false, code: 'expired_api_key' });
  });
});

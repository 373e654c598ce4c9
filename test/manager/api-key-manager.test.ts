import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  digestApiKey,
  generateApiKey,
  type ApiKeyManager,
  type VerifyResult,
} from '../../src/index.js';
import { arrive } from '../support/call-guard.js';
import { CountingStore, unwatched } from '../support/counting-store.js';
import { openManager } from '../support/open-manager.js';

describe('a manager', () => {
  it('a replaced key -> reported as reuse, with the request it came by; one that was only revoked -> not', async () => {
    const seen: unknown[] = [];
    const keep = (message: unknown) => void seen.push(message);
    subscribe('require-api-key:reuse', keep);
    onTestFinished(() => void unsubscribe('require-api-key:reuse', keep));
    const { keys } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    await keys.rotate(record.keyId, { overlapMs: 0 });
    const { req } = arrive();
    await keys.verify(key, req as never);
    await keys.verify(key);
    const other = await keys.create({ user: 'bob' });
    await keys.revoke(other.record.keyId);
    await keys.verify(other.key);
    const message = {
      keyId: record.keyId,
      user: 'alice',
      source: 'managed',
      code: 'expired_api_key',
    };
    expect(seen).toStrictEqual([{ request: req, ...message }, message]);
  });

  it('an expiry for a key id that is not known -> rejects with unknown_key_id', async () => {
    const { keys, clock } = openManager();
    await expect(keys.update('key_0123456789', { expiresAt: clock.at(1) })).rejects.toMatchObject({
      code: 'unknown_key_id',
    });
  });

  it('a key that was rotated -> its end can be brought forward, not put off', async () => {
    const { keys, clock } = openManager();
    const { record } = await keys.create({ user: 'alice' });
    await keys.rotate(record.keyId, { overlapMs: 5_000 });
    for (const expiresAt of [null, clock.at(5_001)]) {
      await expect(keys.update(record.keyId, { expiresAt })).rejects.toMatchObject({
        code: 'already_rotated',
      });
    }
    expect((await keys.update(record.keyId, { expiresAt: clock.at(1_000) })).expiresAt).toEqual(
      clock.at(1_000),
    );
  });

  it.each<[string, (keys: ApiKeyManager, keyId: string, now: Date) => Promise<unknown>]>([
    ['expired_api_key', (keys, keyId, now) => keys.update(keyId, { expiresAt: now })],
    ['revoked_api_key', (keys, keyId) => keys.revoke(keyId)],
  ])('verify of a key that is refused as %s -> the code alone', async (code, end) => {
    const { keys, clock } = openManager();
    const { key, record } = await keys.create({ user: 'alice' });
    await end(keys, record.keyId, clock.at(0));
    expect(await keys.verify(key)).toStrictEqual({ ok: false, code });
  });

  it('a digest imported as a key -> the key is admitted, the digest is not', async () => {
    const { keys, codeOf } = openManager({ legacyKeys: true });
    const old = 'made-by-hand-0123456789-0123456789';
    for (const [user, key] of [
      ['alice', digestApiKey(old)],
      ['bob', digestApiKey(`${old}2`).toUpperCase()],
    ] as const) {
      await keys.import({ user, key });
      expect(await codeOf(key)).toBe('invalid_api_key');
    }
    expect([await codeOf(old), await codeOf(`${old}2`)]).toEqual(['admitted', 'admitted']);
  });

  it.each([undefined, null, 7, {}, '', 'a b', 'a,b', 'é', 'k'.repeat(513)])(
    'what cannot be presented: %j -> unknown, and the store is not asked, legacy keys or not',
    async (presented) => {
      const { keys, store } = openManager({ legacyKeys: true });
      expect(await keys.verify(presented as string)).toEqual({
        ok: false,
        code: 'invalid_api_key',
      });
      expect(store.lookups).toBe(0);
    },
  );

  it("an identity's dates -> cannot be set, and are dates for everything else", async () => {
    const { keys, clock } = openManager();
    const { key } = await keys.create({ user: 'alice', expiresAt: clock.at(1_000) });
    const result = await keys.verify(key);
    const { expiresAt } = (result as Extract<VerifyResult, { ok: true }>).apiKey;
    expect(() => expiresAt!.setTime(0)).toThrow(TypeError);
    expect(() => expiresAt!.setUTCHours(1)).toThrow(TypeError);
    expect(expiresAt).toStrictEqual(clock.at(1_000));
    expect(inspect(expiresAt)).toBe(inspect(clock.at(1_000)));
    expect(structuredClone(expiresAt)).toEqual(clock.at(1_000));
    expect(new Date(expiresAt!).setTime(0)).toBe(0);
  });

  it('a key that was pruned and taken over anew -> its new record is what counts, though nothing is announced', async () => {
    const { keys, clock } = openManager({ store: unwatched(new CountingStore()) });
    const { key, digest } = generateApiKey();
    const { keyId } = await keys.import({ user: 'alice', digest });
    await keys.revoke(keyId);
    expect(await keys.verify(key)).toMatchObject({ code: 'revoked_api_key' });
    clock.move(1_000);
    expect(await keys.prune({ olderThanMs: 1 })).toBe(1);
    await keys.import({ user: 'bob', digest });
    expect(await keys.verify(key)).toMatchObject({ apiKey: { user: 'bob' } });
  });
});

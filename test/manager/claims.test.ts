import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ApiKeyManager,
  ClaimError,
  digestApiKey,
  MemoryKeyStore,
  parseApiKey,
} from '../../src/index.js';
import { listenToClaims } from '../support/web-app.js';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const start = Date.UTC(2030, 0, 1);

/** A manager on a clock of its own. */
function managed() {
  let now = start;
  const store = new MemoryKeyStore();
  const keys = new ApiKeyManager({ store, prefix: 'acme', now: () => now });
  return { store, keys, wait: (ms: number) => void (now += ms) };
}

const notUsable = expect.objectContaining({ name: 'ClaimError', code: 'claim_not_usable' });

describe('createClaim', () => {
  it('all options -> a token of 256 bits, and a link that holds everything but it', async () => {
    const { keys, store } = managed();
    const insert = vi.spyOn(store.claims, 'insert');
    const expiresAt = new Date(start + 90 * dayMs);
    const { token, claim } = await keys.createClaim({
      user: 'alice',
      name: 'laptop',
      scopes: ['audio:write'],
      expiresAt,
      metadata: { plan: 'free' },
    });
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(claim).toEqual({
      claimId: expect.stringMatching(/^claim_[0-9A-Za-z]{10}$/),
      user: 'alice',
      name: 'laptop',
      scopes: ['audio:write'],
      metadata: { plan: 'free' },
      keyExpiresAt: expiresAt,
      createdAt: new Date(start),
      expiresAt: new Date(start + dayMs),
    });
    expect(inspect(insert.mock.calls, { depth: 9 })).not.toContain(token);
    expect(insert.mock.calls[0]![0].tokenDigest).toBe(digestApiKey(token));
  });

  it('a thousand links -> a thousand tokens and ids', async () => {
    const { keys } = managed();
    const made = await Promise.all(
      Array.from({ length: 1_000 }, () => keys.createClaim({ user: 'alice' })),
    );
    expect(new Set(made.flatMap(({ token, claim }) => [token, claim.claimId])).size).toBe(2_000);
  });

  it('a key that ends before its link would -> the link ends with it', async () => {
    const { keys, wait } = managed();
    const expiresAt = new Date(start + 5 * minuteMs);
    const { token, claim } = await keys.createClaim({
      user: 'alice',
      expiresAt,
      claimTtlMs: dayMs,
    });
    expect(claim.expiresAt).toEqual(expiresAt);
    wait(5 * minuteMs);
    await expect(keys.claim(token)).rejects.toEqual(notUsable);
  });

  it('a key that has ended already -> a RangeError, and no link', async () => {
    const { keys } = managed();
    await expect(keys.createClaim({ user: 'alice', expiresAt: new Date(start) })).rejects.toThrow(
      RangeError,
    );
    expect(await keys.listClaims()).toEqual([]);
  });

  it('claimTtlMs at its bounds -> taken; beyond them, broken or of another type -> refused', async () => {
    const { keys } = managed();
    for (const claimTtlMs of [1, 30 * dayMs]) {
      const { claim } = await keys.createClaim({ user: 'alice', claimTtlMs });
      expect(claim.expiresAt.getTime()).toBe(start + claimTtlMs);
    }
    for (const claimTtlMs of [0, -1, 30 * dayMs + 1, 1.5, Number.NaN]) {
      await expect(keys.createClaim({ user: 'alice', claimTtlMs })).rejects.toThrow(RangeError);
    }
    for (const options of [
      {},
      { user: 'a', claimTtlMs: '1d' },
      { user: 'a', ttl: 5 },
      { user: '' },
      null,
    ]) {
      await expect(keys.createClaim(options as never)).rejects.toThrow(TypeError);
    }
  });

  it('metadata that is changed afterwards -> the link keeps what it was given', async () => {
    const { keys } = managed();
    const metadata = { list: ['a'] };
    const { token } = await keys.createClaim({ user: 'alice', metadata });
    metadata.list.push('b');
    expect((await keys.claim(token)).record.metadata).toEqual({ list: ['a'] });
  });
});

describe('claim', () => {
  it('an open link -> a key of the manager, from this moment, admitted on the next request', async () => {
    const { keys, wait } = managed();
    const { token } = await keys.createClaim({ user: 'alice', scopes: ['a'] });
    wait(dayMs - 1);
    const { key, record } = await keys.claim(token);
    expect(parseApiKey(key)).toEqual({ prefix: 'acme', keyId: record.keyId });
    expect(record.createdAt).toEqual(new Date(start + dayMs - 1));
    expect(await keys.verify(key)).toMatchObject({
      ok: true,
      apiKey: { user: 'alice', scopes: ['a'] },
    });
  });

  it('the instant of its end, and after -> claim_not_usable; an instant before -> the key', async () => {
    const { keys, wait } = managed();
    const { token } = await keys.createClaim({ user: 'alice', claimTtlMs: minuteMs });
    wait(minuteMs);
    await expect(keys.claim(token)).rejects.toEqual(notUsable);
    await expect(keys.peekClaim(token)).rejects.toEqual(notUsable);
    wait(-1);
    await keys.claim(token);
  });

  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['a number', 5],
    ['an object', {}],
    ['42 characters', 'a'.repeat(42)],
    ['44 characters', 'a'.repeat(44)],
    ['a newline behind', `${'a'.repeat(43)}\n`],
    ['other characters', '+'.repeat(43)],
    ['the whole link', `https://host/claim#${'a'.repeat(43)}`],
    ['a megabyte', 'a'.repeat(1_000_000)],
  ])('%s instead of a token -> claim_not_usable without a query', async (_name, token) => {
    const { keys, store } = managed();
    const queries = [vi.spyOn(store.claims, 'find'), vi.spyOn(store.claims, 'take')];
    await expect(keys.claim(token as string)).rejects.toEqual(notUsable);
    await expect(keys.peekClaim(token as string)).rejects.toEqual(notUsable);
    for (const query of queries) expect(query).not.toHaveBeenCalled();
  });

  it('the digest of a token in its place -> claim_not_usable', async () => {
    const { keys } = managed();
    const { token } = await keys.createClaim({ user: 'alice' });
    await expect(keys.claim(digestApiKey(token))).rejects.toEqual(notUsable);
    expect(await keys.verify(token)).toMatchObject({ ok: false });
  });

  it('a store that fails -> its error, no ClaimError, and the link is open', async () => {
    const { keys, store } = managed();
    const { token } = await keys.createClaim({ user: 'alice' });
    vi.spyOn(store.claims, 'take').mockRejectedValueOnce(new Error('down'));
    await expect(keys.claim(token)).rejects.toThrow('down');
    await keys.claim(token);
  });
});

describe('what is told of claim links', () => {
  it('made, looked at, used, used again, revoked -> an event each, never the token or the key', async () => {
    const events = listenToClaims();
    const { keys } = managed();
    const { token, claim } = await keys.createClaim({ user: 'alice' });
    await keys.peekClaim(token);
    const { key, record } = await keys.claim(token);
    const request = { url: '/claim' } as never;
    await keys.claim(token, request).catch(() => {});
    await keys.peekClaim(token).catch(() => {});
    const other = await keys.createClaim({ user: 'bob' });
    await keys.revokeClaim(other.claim.claimId);
    await keys.claim(other.token).catch(() => {});
    await keys.claim(randomBytes(32).toString('base64url')).catch(() => {});
    const { claimId } = claim;
    const [alice, bob] = [
      { claimId, user: 'alice', source: 'managed' },
      { claimId: other.claim.claimId, user: 'bob', source: 'managed' },
    ];
    const refused = { outcome: 'refused', code: 'claim_not_usable' };
    expect(events).toEqual([
      { outcome: 'created', ...alice, via: 'code' },
      { outcome: 'claimed', ...alice, keyId: record.keyId, via: 'claim' },
      { ...refused, reason: 'used', ...alice, keyId: record.keyId, request },
      { ...refused, reason: 'used', ...alice, keyId: record.keyId },
      { outcome: 'created', ...bob, via: 'code' },
      { outcome: 'revoked', ...bob, via: 'code' },
      { ...refused, reason: 'revoked', ...bob },
      { ...refused, reason: 'unknown', source: 'managed' },
    ]);
    const told = inspect(events, { depth: 9 });
    for (const secret of [token, key, other.token, 'sha256']) expect(told).not.toContain(secret);
  });

  it('a key that a link yields -> on "changed" as created', async () => {
    const changes: unknown[] = [];
    const keep = (message: unknown) => void changes.push(message);
    subscribe('require-api-key:changed', keep);
    onTestFinished(() => void unsubscribe('require-api-key:changed', keep));
    const { keys } = managed();
    const { token } = await keys.createClaim({ user: 'alice' });
    expect(changes).toEqual([]);
    const { record } = await keys.claim(token);
    expect(changes).toEqual([
      {
        keyId: record.keyId,
        user: 'alice',
        source: 'managed',
        reason: 'created',
        via: 'claim',
      },
    ]);
  });
});

describe('listClaims, revokeClaim, prune', () => {
  it('listed -> newest first with state and time, without token and digest; by status and page', async () => {
    const { keys, wait } = managed();
    const first = await keys.createClaim({ user: 'alice' });
    wait(1);
    const second = await keys.createClaim({ user: 'bob' });
    const { record } = await keys.claim(first.token);
    const all = await keys.listClaims();
    expect(all).toEqual([
      second.claim,
      { ...first.claim, claimedAt: new Date(start + 1), keyId: record.keyId },
    ]);
    expect(inspect(all)).not.toMatch(/sha256|oken/);
    expect(await keys.listClaims({ status: 'open' })).toEqual([second.claim]);
    expect(await keys.listClaims({ limit: 1, cursor: second.claim.claimId })).toEqual([all[1]]);
    await expect(keys.listClaims({ status: 'new' as never })).rejects.toThrow(TypeError);
    await expect(keys.listClaims({ limit: 0 })).rejects.toThrow(RangeError);
    await expect(keys.listClaims({ cursor: 'claim_x' })).rejects.toEqual(
      new ClaimError('unknown_claim_id'),
    );
  });

  it('revoked -> of no use; a used or unknown link cannot be revoked', async () => {
    const { keys } = managed();
    const { token, claim } = await keys.createClaim({ user: 'alice' });
    expect(await keys.revokeClaim(claim.claimId)).toEqual({ ...claim, revokedAt: new Date(start) });
    await expect(keys.claim(token)).rejects.toEqual(notUsable);
    const used = await keys.createClaim({ user: 'alice' });
    await keys.claim(used.token);
    await expect(keys.revokeClaim(used.claim.claimId)).rejects.toMatchObject({
      code: 'claim_used',
    });
    await expect(keys.revokeClaim('claim_x')).rejects.toMatchObject({ code: 'unknown_claim_id' });
    await expect(keys.revokeClaim(5 as never)).rejects.toThrow(TypeError);
  });

  it('prune -> ended links go too, open ones stay', async () => {
    const { keys, wait } = managed();
    await keys.createClaim({ user: 'alice', claimTtlMs: minuteMs });
    const open = await keys.createClaim({ user: 'bob', claimTtlMs: 30 * dayMs });
    wait(2 * dayMs);
    expect(await keys.prune({ olderThanMs: dayMs })).toBe(0);
    expect(await keys.listClaims()).toEqual([open.claim]);
  });

  it('a store without claim links -> a TypeError that says so, and keepsClaims is false', async () => {
    const store = new MemoryKeyStore();
    Object.defineProperty(store, 'claims', { value: undefined });
    const keys = new ApiKeyManager({ store });
    expect(keys.keepsClaims).toBe(false);
    await expect(keys.createClaim({ user: 'alice' })).rejects.toThrow(
      /^createClaim: this key store keeps no/,
    );
    await expect(keys.claim('a'.repeat(43))).rejects.toThrow(TypeError);
    expect(await keys.prune({ olderThanMs: 0 })).toBe(0);
  });
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { generateApiKey, randomBase62 } from '../keys/key-format.js';
import { deepCopy } from '../lib/values.js';
import { digestApiKey } from '../keys/digest.js';
import {
  ClaimError,
  type ClaimedKey,
  type ClaimErrorCode,
  type ClaimRecord,
  type ClaimStatus,
  type ClaimStore,
  type StoredClaim,
} from '../stores/claim-store.js';
import type { KeyStore } from '../stores/key-store.js';
import { at, makeKey, rejectsWith, spoil } from './stored-key.js';

/** A claim link with a token of its own, open for ten seconds. */
export function makeClaim(fields: Partial<StoredClaim> = {}): StoredClaim {
  return {
    claimId: `claim_${randomBase62(10)}`,
    tokenDigest: digestApiKey(randomBytes(32).toString('base64url')),
    user: 'alice',
    scopes: [],
    metadata: {},
    createdAt: at(0),
    expiresAt: at(10_000),
    ...fields,
  };
}

function keyFor(createdAt: Date): ClaimedKey {
  const { keyId, digest } = generateApiKey();
  return { keyId, digest, createdAt };
}

function recordOf({ tokenDigest: _tokenDigest, ...record }: StoredClaim): ClaimRecord {
  return record;
}

async function claimRejects(code: ClaimErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof ClaimError, `rejects with a ClaimError, not ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  });
}

const idsOf = (claims: readonly ClaimRecord[]) => claims.map(({ claimId }) => claimId);

type Cases = Record<string, (claims: ClaimStore, store: KeyStore) => Promise<void>>;

const cases: Cases = {
  'a claim link that was inserted -> found by the digest of its token, whole, without the digest':
    async (claims) => {
      const claim = makeClaim({
        name: `laptop <b>"'\\`,
        scopes: ['audio:read', 'audio:write'],
        metadata: { plan: 'free', limits: { list: [1, null, 'x'] } },
        keyExpiresAt: at(90_001),
        createdAt: at(1),
        expiresAt: at(5_001),
      });
      const inserted = await claims.insert(claim);
      assert.deepEqual(inserted, recordOf(claim));
      assert.deepEqual(await claims.find(claim.tokenDigest), recordOf(claim));
      assert.ok(
        !inspect(inserted, { depth: 9, showHidden: true }).includes(claim.tokenDigest.slice(7)),
      );
      assert.equal(await claims.find(digestApiKey('another')), undefined);
    },

  'a claim id or a token that is taken -> duplicate_claim, and nothing changes': async (claims) => {
    const claim = makeClaim();
    await claims.insert(claim);
    const other = makeClaim({ user: 'bob' });
    await claimRejects('duplicate_claim', claims.insert({ ...other, claimId: claim.claimId }));
    await claimRejects(
      'duplicate_claim',
      claims.insert({ ...other, tokenDigest: claim.tokenDigest }),
    );
    assert.deepEqual(await claims.find(claim.tokenDigest), recordOf(claim));
    assert.equal(await claims.find(other.tokenDigest), undefined);
  },

  'an open claim link -> yields a key with all that the link says, and is used from then on':
    async (claims, store) => {
      const claim = makeClaim({
        name: 'laptop',
        scopes: ['a'],
        metadata: { a: [1] },
        keyExpiresAt: at(90_000),
      });
      await claims.insert(claim);
      assert.deepEqual(await store.list({ limit: 10, now: at(0) }), []);
      const key = keyFor(at(1_000));
      const outcome = await claims.take(claim.tokenDigest, key);
      const record = {
        keyId: key.keyId,
        user: 'alice',
        name: 'laptop',
        scopes: ['a'],
        metadata: { a: [1] },
        createdAt: at(1_000),
        expiresAt: at(90_000),
      };
      const used = { ...recordOf(claim), claimedAt: at(1_000), keyId: key.keyId };
      assert.deepEqual(outcome, { outcome: 'claimed', claim: used, record });
      assert.deepEqual(await store.findByDigest(key.digest), { ...record, digest: key.digest });

      const second = keyFor(at(2_000));
      assert.deepEqual(await claims.take(claim.tokenDigest, second), {
        outcome: 'used',
        claim: used,
      });
      assert.equal(await store.findByDigest(second.digest), undefined);
      assert.deepEqual(await claims.find(claim.tokenDigest), used);
    },

  'fifty attempts at one claim link at once -> exactly one key, the others used': async (
    claims,
    store,
  ) => {
    const claim = makeClaim();
    await claims.insert(claim);
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => claims.take(claim.tokenDigest, keyFor(at(1_000)))),
    );
    const counts = (outcome: string) => outcomes.filter((each) => each.outcome === outcome).length;
    assert.deepEqual([counts('claimed'), counts('used')], [1, 49]);
    assert.equal((await store.list({ limit: 100, now: at(1_000) })).length, 1);
  },

  'a claim link at the instant of its end -> expired, and no key': async (claims, store) => {
    const claim = makeClaim({ expiresAt: at(5_000) });
    await claims.insert(claim);
    const outcome = await claims.take(claim.tokenDigest, keyFor(at(5_000)));
    assert.deepEqual(outcome, { outcome: 'expired', claim: recordOf(claim) });
    assert.deepEqual(await store.list({ limit: 10, now: at(0) }), []);
    assert.equal((await claims.take(claim.tokenDigest, keyFor(at(4_999)))).outcome, 'claimed');
  },

  'a token that belongs to no claim link -> unknown, and no key': async (claims, store) => {
    await claims.insert(makeClaim());
    const outcome = await claims.take(digestApiKey('another'), keyFor(at(1)));
    assert.deepEqual(outcome, { outcome: 'unknown' });
    assert.deepEqual(await store.list({ limit: 10, now: at(0) }), []);
  },

  'a key id that is taken -> duplicate_key, and the claim link is open as before': async (
    claims,
    store,
  ) => {
    const claim = makeClaim();
    await claims.insert(claim);
    const { keyId } = await store.insert(makeKey());
    await rejectsWith('duplicate_key', claims.take(claim.tokenDigest, { ...keyFor(at(1)), keyId }));
    assert.equal((await claims.take(claim.tokenDigest, keyFor(at(2)))).outcome, 'claimed');
  },

  'a claim link that was revoked -> revoked for good, from the first time on, and no key': async (
    claims,
    store,
  ) => {
    const claim = makeClaim();
    await claims.insert(claim);
    const revoked = { ...recordOf(claim), revokedAt: at(1_000) };
    assert.deepEqual(await claims.revoke(claim.claimId, at(1_000)), revoked);
    assert.deepEqual(await claims.revoke(claim.claimId, at(2_000)), revoked);
    const outcome = await claims.take(claim.tokenDigest, keyFor(at(500)));
    assert.deepEqual(outcome, { outcome: 'revoked', claim: revoked });
    assert.deepEqual(await store.list({ limit: 10, now: at(0) }), []);
    await claimRejects('unknown_claim_id', claims.revoke('claim_0000000000', at(1)));
  },

  'revoking a claim link that was used -> claim_used, and nothing changes': async (claims) => {
    const claim = makeClaim();
    await claims.insert(claim);
    await claims.take(claim.tokenDigest, keyFor(at(1_000)));
    const used = await claims.find(claim.tokenDigest);
    await claimRejects('claim_used', claims.revoke(claim.claimId, at(2_000)));
    assert.deepEqual(await claims.find(claim.tokenDigest), used);
  },

  'claiming and revoking at once -> one of them holds, never both': async (claims) => {
    for (let turn = 0; turn < 10; turn++) {
      const claim = makeClaim();
      await claims.insert(claim);
      const [taken, revoked] = await Promise.allSettled([
        claims.take(claim.tokenDigest, keyFor(at(1_000))),
        claims.revoke(claim.claimId, at(1_000)),
      ]);
      assert.equal(taken.status, 'fulfilled');
      const isClaimed =
        (taken as PromiseFulfilledResult<{ outcome: string }>).value.outcome === 'claimed';
      assert.equal(revoked.status, isClaimed ? 'rejected' : 'fulfilled');
      const kept = await claims.find(claim.tokenDigest);
      assert.deepEqual(
        [kept?.claimedAt, kept?.revokedAt],
        isClaimed ? [at(1_000), undefined] : [undefined, at(1_000)],
      );
    }
  },

  'a list of claim links -> newest first, by claim id among equals, in pages that neither repeat nor skip':
    async (claims) => {
      const all = Array.from({ length: 25 }, (_, index) =>
        makeClaim({ createdAt: at(Math.floor(index / 3)) }),
      );
      for (const claim of all) await claims.insert(claim);
      const expected = all.toSorted(
        (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.claimId < b.claimId ? 1 : -1),
      );
      const seen: ClaimRecord[] = [];
      for (let cursor: string | undefined; seen.length < 100; cursor = seen.at(-1)?.claimId) {
        const page = await claims.list({ limit: 10, cursor, now: at(0) });
        if (page.length === 0) break;
        seen.push(...page);
      }
      assert.deepEqual(seen, expected.map(recordOf));
      await claimRejects(
        'unknown_claim_id',
        claims.list({ limit: 10, cursor: 'claim_0000000000', now: at(0) }),
      );
    },

  'a status of claim links -> those that have it at that instant': async (claims) => {
    const now = at(5_000);
    const made = {
      open: makeClaim({ expiresAt: at(5_001) }),
      used: makeClaim({ expiresAt: at(3_000) }),
      revoked: makeClaim({ expiresAt: at(3_000) }),
      expired: makeClaim({ expiresAt: now }),
    };
    for (const claim of Object.values(made)) await claims.insert(claim);
    await claims.take(made.used.tokenDigest, keyFor(at(1)));
    await claims.revoke(made.revoked.claimId, at(1));
    for (const [status, { claimId }] of Object.entries(made)) {
      const listed = await claims.list({ status: status as ClaimStatus, limit: 10, now });
      assert.deepEqual(idsOf(listed), [claimId], status);
    }
  },

  'pruning claim links -> deletes what was used, revoked or expired at the instant or before, and no key':
    async (claims, store) => {
      const ends = { before: at(999), justNow: at(1_000), next: at(1_001) };
      const next: string[] = [];
      for (const [name, end] of Object.entries(ends)) {
        const expired = makeClaim({ expiresAt: end });
        const [used, revoked] = [
          makeClaim({ expiresAt: at(90_000) }),
          makeClaim({ expiresAt: at(90_000) }),
        ];
        for (const claim of [expired, used, revoked]) await claims.insert(claim);
        await claims.take(used.tokenDigest, keyFor(end));
        await claims.revoke(revoked.claimId, end);
        if (name === 'next') next.push(...idsOf([expired, used, revoked]));
      }
      assert.equal(await claims.prune(at(1_000)), 6);
      const left = idsOf(await claims.list({ limit: 10, now: at(0) }));
      assert.deepEqual(new Set(left), new Set(next));
      assert.equal((await store.list({ limit: 10, now: at(0) })).length, 3);
    },

  'claim links that go in or come out -> changing them changes nothing that is kept': async (
    claims,
    store,
  ) => {
    const claim = makeClaim({
      scopes: ['a'],
      metadata: { deep: { list: ['a'] } },
      keyExpiresAt: at(90_000),
    });
    const given = deepCopy(claim);
    for (const each of [given, await claims.insert(given), await claims.find(claim.tokenDigest)])
      spoil(each);
    for (const each of await claims.list({ limit: 10, now: at(0) })) spoil(each);
    assert.deepEqual(await claims.find(claim.tokenDigest), recordOf(claim));

    const key = keyFor(at(1_000));
    const { keyId, digest } = key;
    for (const each of [await claims.take(claim.tokenDigest, key), key]) spoil(each);
    const used = { ...recordOf(claim), claimedAt: at(1_000), keyId };
    assert.deepEqual(await claims.find(claim.tokenDigest), used);
    const { user, scopes, metadata } = claim;
    assert.deepEqual(await store.findByDigest(digest), {
      ...{ keyId, digest, user, scopes, metadata },
      createdAt: at(1_000),
      expiresAt: at(90_000),
    });
  },

  'the time of a revocation and the link that comes back -> changing them changes nothing that is kept':
    async (claims) => {
      const claim = makeClaim();
      await claims.insert(claim);
      const revokedAt = at(1_000);
      for (const each of [await claims.revoke(claim.claimId, revokedAt), revokedAt]) spoil(each);
      const revoked = { ...recordOf(claim), revokedAt: at(1_000) };
      assert.deepEqual(await claims.find(claim.tokenDigest), revoked);
    },
};

/** The requirements for a store that keeps claim links. A store without them passes. */
export const claimContract: Record<string, (store: KeyStore) => Promise<void>> = Object.fromEntries(
  Object.entries(cases).map(([title, run]) => [
    title,
    async (store: KeyStore) => {
      if (store.claims) await run(store.claims, store);
    },
  ]),
);

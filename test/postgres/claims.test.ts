import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const pool = database.pool();
const store = new PostgresKeyStore({ client: pool });
const keys = new ApiKeyManager({ store });
const role = `claims_${process.pid}_${Date.now()}`;
// As a process runs that serves the claim page and nothing else of what operators do.
const restricted = new PostgresKeyStore({ client: database.pool({ options: `-c role=${role}` }) });
const page = new ApiKeyManager({ store: restricted });

beforeAll(async () => {
  await store.migrate();
  await pool.query(`create role ${role}`);
  await pool.query(`grant select, insert on api_keys to ${role}`);
  await pool.query(`grant select, update (claimed_at, key_id) on api_keys_claims to ${role}`);
});
afterAll(async () => {
  await Promise.all([keys.close(), page.close()]);
  await pool.query(`drop owned by ${role}`);
  await pool.query(`drop role ${role}`);
});

const rowOf = async (claimId: string) => {
  const { rows } = await pool.query('select * from api_keys_claims where claim_id = $1', [claimId]);
  return rows[0] as Record<string, unknown>;
};

describe('claim links in PostgreSQL', () => {
  it('a role that may only use them -> claims, and can neither make, revoke nor delete one', async () => {
    const { token, claim } = await keys.createClaim({ user: 'alice', scopes: ['a'] });
    await expect(page.createClaim({ user: 'eve' })).rejects.toThrow(/permission denied/);
    await expect(page.revokeClaim(claim.claimId)).rejects.toThrow(/permission denied/);
    await expect(page.prune({ olderThanMs: 0 })).rejects.toThrow(/permission denied/);
    expect(await page.peekClaim(token)).toEqual(claim);
    const { key, record } = await page.claim(token);
    expect(await keys.verify(key)).toMatchObject({
      ok: true,
      apiKey: { user: 'alice', scopes: ['a'] },
    });
    expect(await rowOf(claim.claimId)).toMatchObject({ key_id: record.keyId, revoked_at: null });
  });

  it('the row of a link -> the digest of its token, and nothing that could be presented', async () => {
    const { token, claim } = await keys.createClaim({ user: 'alice' });
    expect(JSON.stringify(await rowOf(claim.claimId))).not.toContain(token);
    const { key } = await keys.claim(token);
    const row = JSON.stringify(await rowOf(claim.claimId));
    for (const secret of [token, key, key.slice(14, 46)]) expect(row).not.toContain(secret);
    await expect(
      pool.query(`update api_keys_claims set token_digest = $1 where claim_id = $2`, [
        token,
        claim.claimId,
      ]),
    ).rejects.toThrow(/_claims_digest_check/);
  });

  it('a key that cannot be stored -> the link is open as before', async () => {
    const { token, claim } = await keys.createClaim({ user: 'alice' });
    await pool.query(
      `alter table api_keys add constraint no_alice check (user_name <> 'alice') not valid`,
    );
    await expect(keys.claim(token)).rejects.toThrow(/no_alice/);
    expect(await rowOf(claim.claimId)).toMatchObject({ claimed_at: null, key_id: null });
    await pool.query('alter table api_keys drop constraint no_alice');
    await keys.claim(token);
  });

  it('a key that another process made -> admitted there at once, and announced', async () => {
    const announced: string[] = [];
    const watcher = {
      connected() {},
      alive() {},
      disconnected() {},
      changed: (id: string) => void announced.push(id),
    };
    const watch = store.watch!({ ...watcher, connected: () => void announced.push('connected') });
    await expect.poll(() => announced).toEqual(['connected']);
    const { token } = await keys.createClaim({ user: 'alice' });
    const { record } = await page.claim(token);
    await expect.poll(() => announced).toEqual(['connected', record.keyId]);
    await watch.close();
  });

  it('ended by hand in SQL -> expired; an end of infinity -> open', async () => {
    const { token, claim } = await keys.createClaim({ user: 'alice' });
    const setEnd = (end: string) =>
      pool.query(`update api_keys_claims set expires_at = $1 where claim_id = $2`, [
        end,
        claim.claimId,
      ]);
    await setEnd('-infinity');
    await expect(keys.claim(token)).rejects.toMatchObject({ code: 'claim_not_usable' });
    expect(await keys.listClaims({ status: 'expired' })).toMatchObject([
      { claimId: claim.claimId },
    ]);
    await setEnd('infinity');
    await keys.claim(token);
  });
});

import { describe, expect, it } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const store = new PostgresKeyStore({ client: database.pool() });
const keys = new ApiKeyManager({ store });
await store.migrate();

const run = (...args: string[]) => cli(args, { env: { DATABASE_URL: database.url } });

describe('claims', () => {
  it('no link at all -> said so', async () => {
    const none = { code: 0, stdout: '', stderr: 'There are no such links.\n' };
    expect(await run('claims')).toEqual(none);
    expect(await run('claims', '--json')).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  });

  it('links in several states -> a table of them, newest first, by status, and no token', async () => {
    const used = await keys.createClaim({ user: 'alice', name: 'ci', scopes: ['a', 'b'] });
    const { record } = await keys.claim(used.token);
    const open = await keys.createClaim({ user: 'bob' });
    const [all, onlyOpen, json] = await Promise.all([
      run('claims'),
      run('claims', '--status', 'open'),
      run('claims', '--json'),
    ]);
    expect(all.stdout).toMatch(/^CLAIM ID +USER +NAME +SCOPES +STATUS +CREATED +ENDS +KEY ID\n/);
    const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d UTC`;
    expect(all.stdout).toMatch(
      new RegExp(
        `\n${used.claim.claimId} +alice +ci +a b +used +${time} +${time} +${record.keyId}\n$`,
      ),
    );
    expect(onlyOpen.stdout).toMatch(
      new RegExp(`\n${open.claim.claimId} +bob +open +${time} +${time}\n$`),
    );
    expect(onlyOpen.stdout).not.toContain(used.claim.claimId);
    expect(JSON.parse(json.stdout)).toMatchObject([
      {
        claimId: open.claim.claimId,
        status: 'open',
        expiresAt: open.claim.expiresAt.toISOString(),
      },
      { claimId: used.claim.claimId, status: 'used', keyId: record.keyId },
    ]);
    for (const { code, stdout, stderr } of [all, onlyOpen, json]) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).not.toMatch(/sha256|digest/i);
      for (const { token } of [used, open]) expect(stdout).not.toContain(token);
    }
  });

  it('more links than the limit, or than a page -> said so; --all shows each once', async () => {
    await database.pool()
      .query(`insert into api_keys_claims (claim_id, token_digest, user_name, expires_at)
      select 'claim_' || lpad(n::text, 10, '0'), 'sha256:' || lpad(to_hex(n), 64, '0'), 'many', now() + interval '1 day'
      from generate_series(1, 1234) n`);
    const [some, all] = await Promise.all([
      run('claims', '--limit', '5', '--json'),
      run('claims', '--all', '--status', 'open', '--json'),
    ]);
    expect(JSON.parse(some.stdout)).toHaveLength(5);
    expect(some.stderr).toBe(
      'Only the newest 5 are shown; for more give --all, or a higher --limit.\n',
    );
    const listed = (JSON.parse(all.stdout) as { claimId: string; user: string }[]).filter(
      ({ user }) => user === 'many',
    );
    expect(new Set(listed.map(({ claimId }) => claimId)).size).toBe(1234);
    expect(all.stderr).toBe('');
  });

  it.each([[['claims', '--status', 'dead']], [['claims', '--limit', '0']], [['claims', 'alice']]])(
    '%j -> misused in one sentence',
    async (args) => {
      const { code, stdout, stderr } = await run(...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^error: .+\n$/);
    },
  );
});

describe('revoke of a claim link', () => {
  it('a key whose prefix is "claim" -> its id looks like that of a link, and the key is revoked', async () => {
    const { record } = await new ApiKeyManager({ store, prefix: 'claim' }).create({ user: 'eve' });
    expect(await run('revoke', record.keyId)).toEqual({
      code: 0,
      stdout: '',
      stderr: `Revoked ${record.keyId} of eve.\n`,
    });
    expect(await keys.get(record.keyId)).toHaveProperty('revokedAt');
  });

  it('a link and --family, which is for keys -> failed, with the line that revokes the link', async () => {
    const { token, claim } = await keys.createClaim({ user: 'fred' });
    const { code, stderr } = await run('revoke', claim.claimId, '--family');
    expect(code).toBe(1);
    expect(stderr).toBe(
      `error: there is no key with this key id; for a claim link use npx require-api-key revoke ${claim.claimId}\n`,
    );
    await expect(keys.peekClaim(token)).resolves.toMatchObject({ user: 'fred' });
  });

  it('an open link -> it yields no key any more; a second time changes nothing', async () => {
    const { token, claim } = await keys.createClaim({ user: 'carol' });
    const hostile = 'update api_keys_claims set user_name = $1 where claim_id = $2';
    await database.pool().query(hostile, ['carol\u001b[31m', claim.claimId]);
    expect(await run('revoke', claim.claimId)).toEqual({
      code: 0,
      stdout: '',
      stderr: `Revoked ${claim.claimId} for carol?[31m.\n`,
    });
    await expect(keys.claim(token)).rejects.toMatchObject({ code: 'claim_not_usable' });
    const { revokedAt } = (await keys.listClaims({ status: 'revoked' }))[0]!;
    const again = await run('revoke', claim.claimId, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      claimId: claim.claimId,
      status: 'revoked',
      revokedAt: revokedAt!.toISOString(),
    });
    expect((await run('revoke', claim.claimId)).stderr).toMatch(
      new RegExp(
        `^${claim.claimId} for carol\\?\\[31m was revoked already, at \\d{4}-.+ UTC\\.\n$`,
      ),
    );
  });

  it('a link that was used, or that nobody made -> failed in one sentence', async () => {
    const { token, claim } = await keys.createClaim({ user: 'dora' });
    const { record } = await keys.claim(token);
    const [used, unknown] = await Promise.all([
      run('revoke', claim.claimId),
      run('revoke', 'claim_none000000'),
    ]);
    expect(used).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: the claim link was used; revoke the key that it made instead\n',
    });
    expect(unknown).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: there is no claim link with this id\n',
    });
    expect((await keys.get(record.keyId))!.revokedAt).toBeUndefined();
  });
});

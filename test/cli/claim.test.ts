import { describe, expect, it } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, shell } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const store = new PostgresKeyStore({ client: database.pool() });
const keys = new ApiKeyManager({ store });
await store.migrate();

const baseUrl = 'https://api.example.com/claim';
const run = (...args: string[]) => cli(['claim', ...args], { env: { DATABASE_URL: database.url } });

describe('claim', () => {
  it('with all options -> the link alone on stdout, words on stderr, a key only when it is claimed', async () => {
    const options = [
      '--scope',
      'audio:write',
      '--name',
      'ci',
      '--expires',
      '90d',
      '--link-ttl',
      '2h',
      '--metadata',
      '{"a":1}',
    ];
    const { code, stdout, stderr } = await run('alice', ...options, '--base-url', baseUrl);
    expect(code).toBe(0);
    const [, token] = /^https:\/\/api\.example\.com\/claim#([\w-]{43})\n$/.exec(stdout)!;
    expect(stderr).toMatch(
      /^Created claim_\w{10} for alice; it works once, until \d{4}-\d\d-\d\d \d\d:\d\d UTC.*\n$/,
    );
    expect(stderr).not.toContain(token);
    const [claim] = await keys.listClaims();
    expect(claim).toMatchObject({
      user: 'alice',
      name: 'ci',
      scopes: ['audio:write'],
      metadata: { a: 1 },
    });
    expect(claim!.expiresAt.getTime() - claim!.createdAt.getTime()).toBe(2 * 3_600_000);
    expect(claim!.keyExpiresAt!.getTime() - claim!.createdAt.getTime()).toBeCloseTo(
      90 * 86_400_000,
      -4,
    );
    expect(await keys.list()).toEqual([]);
    expect((await keys.claim(token!)).record).toMatchObject({
      user: 'alice',
      expiresAt: claim!.keyExpiresAt,
    });
  });

  it('--json -> link and record in one answer, without token and digest beside the link', async () => {
    const { stdout, stderr } = await run('bob', '--json', '--base-url', `${baseUrl}/`);
    const { link, claim } = JSON.parse(stdout) as { link: string; claim: object };
    expect(link).toMatch(/^https:\/\/api\.example\.com\/claim\/#[\w-]{43}$/);
    expect(Object.keys(claim)).toEqual([
      'claimId',
      'user',
      'scopes',
      'metadata',
      'createdAt',
      'expiresAt',
    ]);
    expect(stderr).toBe('');
  });

  it('nobody reads the link, or nothing can hold it -> failed, and the claim to revoke is named', async () => {
    const env = { DATABASE_URL: database.url };
    const [full, closed] = await Promise.all([
      shell(`$CLI claim carol --json --base-url ${baseUrl} > /dev/full`, { env }),
      shell(`{ sleep 0.2; $CLI claim carol --base-url ${baseUrl}; echo "exit $?" >&2; } | true`, {
        env,
      }),
    ]);
    const remedy = /the link is lost: npx require-api-key revoke (claim_\w{10})\n/;
    expect(full.code).toBe(1);
    expect(closed.stderr).toMatch(/nothing reads it; .*\nexit 1\n$/);
    for (const { stderr } of [full, closed]) {
      await expect(keys.revokeClaim(remedy.exec(stderr)![1]!)).resolves.toMatchObject({
        user: 'carol',
      });
    }
  });

  it.each([
    ['http://api.example.com/claim', true],
    ['http://10.0.0.1/claim', true],
    ['http://localhost:3000/claim', false],
    ['http://127.0.0.1/claim', false],
    ['http://app.localhost:3000/claim', false],
    ['http://[::1]/claim', false],
    [baseUrl, false],
  ])('the base %s -> warned of: %s', async (base, isWarned) => {
    const { code, stderr } = await run('alice', '--base-url', base);
    expect([code, /plain HTTP/.test(stderr)]).toEqual([0, isWarned]);
  });

  it.each([
    [['alice']],
    [['--base-url', baseUrl]],
    [['alice', '--base-url', '/claim']],
    [['alice', '--base-url', 'ftp://host/claim']],
    [['alice', '--base-url', `${baseUrl}#x`]],
    [['alice', '--base-url', 'https://a:b@host/claim']],
    [['alice', '--base-url', 'https://:b@host/claim']],
    [['alice', '--base-url', baseUrl, '--link-ttl', '31d']],
    [['alice', '--base-url', baseUrl, '--link-ttl', '30s']],
    [['alice', '--base-url', baseUrl, '--expires', '2020-01-01']],
    [['alice', '--base-url', baseUrl, '--scope', 'a,b']],
  ])('%j -> misused, and no link', async (args) => {
    const before = await keys.listClaims();
    const { code, stdout } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(await keys.listClaims()).toEqual(before);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { ApiKeyManager } from '../../src/index.js';
import { cli, folder } from '../support/cli.js';
import { byHand, openStore } from '../support/sqlite.js';

const env = { DATABASE_URL: 'file:keys.db' };
let cwd: string;

const run = (...args: readonly string[]) => cli(args, { cwd, env });

async function json<Result>(...args: readonly string[]): Promise<Result> {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Result;
}

interface Record {
  readonly keyId: string;
  readonly user: string;
  readonly status: string;
  readonly pausedUntil?: string;
  readonly allowedAddresses?: readonly string[];
}

const create = async (...args: readonly string[]) =>
  (await json<{ record: Record }>('create', ...args)).record;

interface Event {
  readonly what: string;
  readonly by?: string;
  readonly reason?: string;
  readonly via: string;
  readonly changes?: object;
}

const history = (...args: readonly string[]) => json<Event[]>('history', ...args);

beforeEach(async () => {
  cwd = folder();
  await openStore(join(cwd, 'keys.db'));
});

describe('pause and resume', () => {
  it('a key -> paused until it is resumed; --until ends a pause by itself', async () => {
    const { keyId } = await create('alice');
    expect((await run('pause', keyId)).stderr).toBe(
      `Paused ${keyId} of alice until it is resumed.\n`,
    );
    expect(await json<Record[]>('list', '--status', 'paused')).toMatchObject([{ keyId }]);
    expect(await json<Record[]>('list', '--status', 'active')).toEqual([]);
    const again = await json<Record>('pause', keyId, '--until', '1h');
    expect(Date.parse(again.pausedUntil!) - Date.now()).toBeGreaterThan(3_500_000);
    expect(await json<Record>('resume', keyId)).toMatchObject({ status: 'active' });
  });

  it.each([
    ['a revoked key', async () => create('alice').then(revoked), [], 1, 'revoked or expired'],
    ['an unknown key', async () => 'key_0000000000', [], 1, 'no key'],
    ['an end in the past', async () => 'key_0000000000', ['--until', '2020-01-01'], 2, 'past'],
    ['an end in words', async () => 'key_0000000000', ['--until', 'tomorrow'], 2, 'Write 1h'],
    ['no end at all', async () => 'key_0000000000', ['--until', 'never'], 2, 'Write 1h'],
    ['an empty reason', async () => 'key_0000000000', ['--reason', ''], 2, '1 to 1000 characters'],
  ])('%s -> refused in one sentence', async (_what, id, options, code, said) => {
    const finished = await run('pause', await id(), ...options);
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).toMatch(/^error: [^\n]+\n$/);
    expect(finished.stderr).toContain(said);
  });

  async function revoked({ keyId }: Record): Promise<string> {
    await run('revoke', keyId);
    return keyId;
  }
});

describe('revoke --user', () => {
  it('a user who leaves -> all keys and open links end, and nobody else loses any', async () => {
    const [one, two, other] = [await create('alice'), await create('alice'), await create('bob')];
    const link = ['claim', 'alice', '--base-url', 'https://api.example.com/claim', '--json'];
    await run(...link);
    const ended = await json<{ keys: Record[]; claims: object[] }>('revoke', '--user', 'alice');
    expect(ended.keys.map(({ keyId }) => keyId).toSorted()).toEqual(
      [one.keyId, two.keyId].toSorted(),
    );
    expect(ended.claims).toHaveLength(1);
    expect(await json<Record[]>('list', '--status', 'active')).toMatchObject([other]);
  });

  it('a user of whom nothing is known -> failed, also in JSON, and told that names are exact', async () => {
    await create('alice');
    const said =
      'error: there are no keys or links of Alice: user names are exact, see npx require-api-key list\n';
    for (const more of [[], ['--json']]) {
      expect(await run('revoke', '--user', 'Alice', ...more)).toEqual({
        code: 1,
        stdout: '',
        stderr: said,
      });
    }
    const legacy = 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a';
    const secret = await run('revoke', '--user', legacy);
    expect(secret.stderr).toContain('no keys or links of this user');
    expect(secret.stderr).not.toContain(legacy);
  });

  it('a user with nothing left, of keys or of links alone -> done, and said', async () => {
    await create('alice');
    const link = ['claim', 'bob', '--base-url', 'https://api.example.com/claim', '--json'];
    await run(...link);
    for (const user of ['alice', 'bob']) {
      expect(await run('revoke', '--user', user)).toMatchObject({ code: 0 });
      expect(await run('revoke', '--user', user)).toEqual({
        code: 0,
        stdout: '',
        stderr: `There is nothing left to revoke of ${user}.\n`,
      });
      expect(await json('revoke', '--user', user)).toEqual({ keys: [], claims: [] });
    }
  });

  it('neither an id nor a user, or both -> misused', async () => {
    for (const args of [['revoke'], ['revoke', 'key_0000000000', '--user', 'alice']]) {
      expect(await run(...args)).toMatchObject({
        code: 2,
        stderr: 'error: give either the id of a key or claim link, or --user <user>\n',
      });
    }
  });
});

describe('update', () => {
  it('--user and --address -> the key is theirs, and bound; --any-address unbinds it', async () => {
    const { keyId } = await create('alice', '--address', '10.0.0.0/8');
    const bound = await json<Record>('update', keyId, '--user', 'bob', '--address', '::1');
    expect(bound).toMatchObject({ user: 'bob', allowedAddresses: ['::1'] });
    expect(await json('update', keyId, '--any-address')).not.toHaveProperty('allowedAddresses');
  });

  it.each(['10.0.0.1/8', 'example.com', '10.0.0.0/33', ''])(
    '--address "%s" -> misused, and nothing is made',
    async (address) => {
      const finished = await run('create', 'alice', '--address', address);
      expect(finished).toMatchObject({ code: 2, stdout: '' });
      expect(finished.stderr).toContain('Write an IP address or a block');
      expect(await json<Record[]>('list')).toEqual([]);
    },
  );
});

describe('history', () => {
  it('a leaked key -> who made it, who has it, who ended it and why', async () => {
    const { keyId } = await create('alice', '--by', 'ops', '--reason', 'new laptop');
    await run('revoke', keyId, '--reason', 'found in a public repository');
    const [ended, made] = await history(keyId);
    expect(ended).toMatchObject({
      what: 'revoked',
      by: userInfo().username,
      via: 'cli',
      reason: 'found in a public repository',
    });
    expect(made).toMatchObject({ what: 'created', by: 'ops', via: 'cli', reason: 'new laptop' });
    const table = await run('history', keyId);
    expect(table.stdout).toMatch(/^WHEN +WHAT +KEY OR LINK +USER +BY +VIA +REASON +CHANGES\n/);
    expect(table.stdout).toContain('found in a public repository');
  });

  it('--user, --since and --limit -> only these; more are told of', async () => {
    const { keyId } = await create('alice');
    await create('bob');
    await run('update', keyId, '--name', 'ci');
    expect(await history('--user', 'bob')).toMatchObject([{ what: 'created' }]);
    expect(await history('--since', '0s')).toEqual([]);
    expect(await history('--since', '1h')).toHaveLength(3);
    const limited = await run('history', '--limit', '1');
    expect(limited.stdout).toContain('name: none -> ci');
    expect(limited.stderr).toContain('Only the newest 1 are shown');
    expect(await run('history', '--since', '2999-01-01')).toMatchObject({ code: 2 });
  });
});

describe('the times in a change', () => {
  it('a new end -> in local time on the terminal, as when it was done; in JSON as stored', async () => {
    const { keyId } = await create('alice');
    await run('update', keyId, '--expires', '2099-01-31T00:00:00Z');
    const table = await cli(['history', keyId], { cwd, env: { ...env, TZ: 'Asia/Tokyo' } });
    expect(table.stdout).toContain('expiresAt: none -> 2099-01-31 09:00 GMT+9');
    const [{ changes }] = (await history(keyId)) as [Event];
    expect(changes).toEqual({ expiresAt: [null, '2099-01-31T00:00:00.000Z'] });
  });

  it('a value written by hand that is no time -> as it stands', async () => {
    const values = `'updated', 'alice', 'sql', '{"expiresAt": [null, "infinity"]}'`;
    byHand(
      join(cwd, 'keys.db'),
      `insert into api_keys_events (what, user_name, via, changes) values (${values})`,
    );
    expect((await run('history')).stdout).toContain('expiresAt: none -> infinity');
  });
});

describe('history of one operator', () => {
  it('--by and --via -> only these, however many events of others lie in between', async () => {
    const store = await openStore(join(cwd, 'keys.db'));
    const keys = new ApiKeyManager({ store });
    const { record } = await keys.create({ user: 'alice', by: 'bob' });
    byHand(
      join(cwd, 'keys.db'),
      `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 1005)
        insert into api_keys_events (what, key_id, user_name, changed_by, via)
        select 'updated', '${record.keyId}', 'alice', 'olga', 'code' from numbers`,
    );
    await run('pause', record.keyId, '--by', 'bob');
    await keys.close();

    const whats = async (...args: string[]) => (await history(...args)).map(({ what }) => what);
    expect(await whats('--by', 'bob', '--all')).toEqual(['paused', 'created']);
    expect(await whats('--by', 'bob', '--limit', '2')).toEqual(['paused', 'created']);
    expect(await whats('--by', 'bob', '--via', 'code', '--limit', '1')).toEqual(['created']);
    expect(await whats('--via', 'cli')).toEqual(['paused']);
    expect(await history('--by', 'olga', '--all')).toHaveLength(1_005);
    expect(await whats('--by', 'Bob')).toEqual([]);
    const limited = await run('history', '--by', 'bob', '--limit', '1');
    expect(limited.stderr).toContain('Only the newest 1 are shown');
    const { code, stderr } = await run('history', '--via', 'web');
    expect(code).toBe(2);
    expect(stderr).toContain('code, cli, desk, account, claim, sql');
  });
});

describe('notices', () => {
  it('a key near its end -> told once for each time, however often it is asked', async () => {
    const { keyId } = await create('alice', '--expires', '2d');
    await create('bob', '--expires', '90d');
    const first = await json<object[]>('notices', '--before', '14d,3d');
    expect(first).toMatchObject([{ record: { keyId }, beforeMs: 3 * 86_400_000 }]);
    expect(await json<object[]>('notices', '--before', '14d,3d')).toEqual([]);
    await run('update', keyId, '--expires', '1d');
    expect((await run('notices', '--before', '3d')).stdout).toContain(keyId);
  });

  it.each([[[]], [['--before', '3']], [['--before', '14d,']], [['--before', '0s']]])(
    '%j -> misused',
    async (options) => {
      expect(await run('notices', ...options)).toMatchObject({ code: 2, stdout: '' });
    },
  );
});

describe('usage', () => {
  it('no use at all -> said; days out of range -> misused', async () => {
    const { keyId } = await create('alice');
    expect((await run('usage', keyId)).stderr).toBe('No use was counted in these days.\n');
    expect(await json<object[]>('usage')).toEqual([]);
    expect(await run('usage', '--days', '0')).toMatchObject({ code: 2 });
    for (const mistyped of ['alice', 'key_0000000000']) {
      const { code, stderr } = await run('usage', mistyped);
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^error: there is no key with this key id/) as string,
      });
    }
  });
});

describe('list', () => {
  it('--unused-for and --expiring-within -> the keys that are worth a look', async () => {
    const soon = await create('alice', '--expires', '2d');
    await create('bob');
    expect(await json<Record[]>('list', '--expiring-within', '3d')).toMatchObject([soon]);
    expect(await json<Record[]>('list', '--unused-for', '1d')).toEqual([]);
    expect(await json<Record[]>('list', '--unused-for', '0s')).toHaveLength(2);
  });
});

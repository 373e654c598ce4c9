import { describe, expect, it } from 'vitest';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const store = new PostgresKeyStore({ client: database.pool() });
const keys = new ApiKeyManager({ store });
const env = { DATABASE_URL: database.url };
await store.migrate();

const update = (...args: string[]) => cli(['update', ...args], { env });
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

describe('update', () => {
  it('a name, scopes and an end -> those are changed, the key works on, and stderr says how it stands now', async () => {
    const { key, record } = await keys.create({
      user: 'alice',
      scopes: ['a', 'b'],
      metadata: { plan: 'pro' },
    });
    const { code, stdout, stderr } = await update(
      record.keyId,
      ...['--name', 'ci', '--scope', 'b', '--scope', 'c', '--expires', '2099-01-31'],
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(
      `Updated ${record.keyId} of alice: name ci, scopes b c, expires 2099-01-31 00:00 UTC.\n`,
    );
    expect(await keys.get(record.keyId)).toMatchObject({
      name: 'ci',
      scopes: ['b', 'c'],
      expiresAt: new Date('2099-01-31T00:00:00Z'),
      metadata: { plan: 'pro' },
    });
    expect(await new ApiKeyManager({ store }).verify(key)).toMatchObject({ ok: true });
  });

  it('one of them alone -> the others stay as they were', async () => {
    const before = { user: 'bob', name: 'ci', scopes: ['a'], expiresAt: inDays(90) };
    const { record } = await keys.create(before);
    expect((await update(record.keyId, '--name', 'nightly')).code).toBe(0);
    expect(await keys.get(record.keyId)).toMatchObject({ ...before, name: 'nightly' });
    expect((await update(record.keyId, '--no-scopes')).stderr).toContain(
      ': name nightly, no scopes, expires ',
    );
    expect(await keys.get(record.keyId)).toMatchObject({ ...before, name: 'nightly', scopes: [] });
    expect((await update(record.keyId, '--expires', 'never')).stderr).toMatch(
      /, never expires\.\n$/,
    );
    expect(await keys.get(record.keyId)).not.toHaveProperty('expiresAt');
  });

  it('--json -> the record alone, times in ISO 8601', async () => {
    const { record } = await keys.create({ user: 'carol' });
    const { code, stdout, stderr } = await update(
      record.keyId,
      '--expires',
      '2099-01-31',
      '--json',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      keyId: record.keyId,
      status: 'active',
      expiresAt: '2099-01-31T00:00:00.000Z',
    });
    expect(stdout).not.toMatch(/sha256|digest/);
  });

  it('a revoked key -> changed, and stderr says that it stays revoked', async () => {
    const { key, record } = await keys.create({ user: 'dora' });
    await keys.revoke(record.keyId);
    const { code, stderr } = await update(record.keyId, '--expires', '90d');
    expect(code).toBe(0);
    expect(stderr).toMatch(/, revoked for good, which no change undoes\.\n$/);
    expect(await new ApiKeyManager({ store }).verify(key)).toMatchObject({
      code: 'revoked_api_key',
    });
  });

  it('an unknown id, the name of a user -> failed, with the line that lists the keys of the user', async () => {
    const [unknown, user] = await Promise.all([
      update('key_0000000000', '--name', 'x'),
      update('alice', '--name', 'x'),
    ]);
    expect(unknown).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: there is no key with this key id\n',
    });
    expect(user.stderr).toContain('see npx require-api-key list --user alice\n');
  });

  it.each(['90d', 'never'])(
    'a rotated key, --expires %s -> failed, as its end cannot be put off, and its successor is named; an earlier end is taken',
    async (end) => {
      const { record: old } = await keys.create({ user: 'erin' });
      const { record: successor, previous } = await keys.rotate(old.keyId, {
        overlapMs: 86_400_000,
      });
      expect(await update(old.keyId, '--expires', end)).toEqual({
        code: 1,
        stdout: '',
        stderr: `error: a key that was rotated ends when its overlap does, not later; its successor is ${successor.keyId}: update that one\n`,
      });
      expect((await keys.get(old.keyId))!.expiresAt).toEqual(previous.expiresAt);
      expect((await update(old.keyId, '--expires', '1h')).code).toBe(0);
      expect((await keys.get(old.keyId))!.expiresAt!.getTime()).toBeLessThan(
        previous.expiresAt!.getTime(),
      );
    },
  );

  it('names with escape sequences -> none reaches the terminal', async () => {
    const { record } = await keys.create({ user: 'mallory' });
    await database
      .pool()
      .query('update api_keys set name = $1, user_name = $1 where key_id = $2', [
        'x\u001b[31m',
        record.keyId,
      ]);
    expect((await update(record.keyId, '--scope', 'a')).stderr).toBe(
      `Updated ${record.keyId} of x?[31m: name x?[31m, scopes a, never expires.\n`,
    );
  });

  it.each<[string[], RegExp]>([
    [[], /^error: nothing to change: give --user, --name, [^\n]+ or --any-address\n$/],
    [['--json'], /^error: nothing to change: /],
    [['--scope', 'a', '--no-scopes'], /'--no-scopes' cannot be used with option '--scope <scope>'/],
    [['--scope', 'a b'], /A scope has no blanks and no commas: repeat --scope for each, /],
    [['--name', ' '], /^error: --name must be /],
    [['--expires', 'soon'], /Write never, 90d, 2027-01-31 or /],
    [['--expires', '2020-01-01'], /That is in the past\./],
  ])('%j -> misused, in one sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await update('key_0000000000', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr).toMatch(/^error: .+\n$/);
  });
});

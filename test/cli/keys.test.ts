import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ApiKeyManager, generateApiKey, parseApiKey, type KeyRecord } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, folder, shell } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const store = new PostgresKeyStore({ client: database.pool() });
const keys = new ApiKeyManager({ store });
const env = { DATABASE_URL: database.url };
await store.migrate();

const run = (...args: string[]) => cli(args, { env });
const parsed = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe('create', () => {
  it('> alice.key -> the file holds the key and a newline, the database its digest, stderr the words', async () => {
    const cwd = folder();
    const { code, stdout, stderr } = await shell(
      'umask 077; $CLI create alice --name ci --scope audio:read --scope audio:write --expires 90d --metadata \'{"plan":"free"}\' > alice.key',
      { cwd, env },
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const text = readFileSync(join(cwd, 'alice.key'), 'utf8');
    const { keyId } = parseApiKey(text.slice(0, -1))!;
    expect(text.at(-1)).toBe('\n');
    expect(stderr).toMatch(
      new RegExp(`^Created ${keyId} for alice; it expires \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC.`),
    );
    const record = await keys.get(keyId);
    expect(record).toMatchObject({
      user: 'alice',
      name: 'ci',
      scopes: ['audio:read', 'audio:write'],
      metadata: { plan: 'free' },
    });
    expect(record!.expiresAt!.getTime() - record!.createdAt.getTime()).toBeCloseTo(
      90 * 86_400_000,
      -5,
    );
    expect(await keys.verify(text.trim())).toMatchObject({ ok: true });
  });

  it('--json with a prefix and a date -> key and record in one answer, times in ISO 8601', async () => {
    const { stdout, stderr } = await run(
      'create',
      'bob',
      '--json',
      '--prefix',
      'acme',
      '--expires',
      '2099-01-31',
    );
    const { key, record } = parsed(stdout) as { key: string; record: Record<string, unknown> };
    expect(parseApiKey(key)).toEqual({ prefix: 'acme', keyId: record['keyId'] });
    expect(record).toMatchObject({
      user: 'bob',
      status: 'active',
      expiresAt: '2099-01-31T00:00:00.000Z',
    });
    expect(stdout + stderr).not.toMatch(/sha256|digest/);
    expect(stderr).toBe('');
  });

  it('--expires never, for a key, a claim link and one taken over -> no end', async () => {
    const [created, claim, imported] = await Promise.all([
      run('create', 'never', '--expires', 'never', '--json'),
      run('claim', 'never', '--expires', 'never', '--base-url', 'https://api.example.com/claim'),
      cli(['import', 'never', '--expires', 'never'], { env, input: generateApiKey().key }),
    ]);
    expect([created.code, claim.code, imported.code]).toEqual([0, 0, 0]);
    expect((parsed(created.stdout) as { record: object }).record).not.toHaveProperty('expiresAt');
  });

  it('standard output that is full -> failed, and the key to revoke is named', async () => {
    const { code, stderr } = await shell('$CLI create carol > /dev/full', { env });
    expect(code).toBe(1);
    const [, keyId] =
      /the disk is full; the key is lost: npx require-api-key revoke (key_\w{10})\n/.exec(stderr)!;
    expect(await keys.get(keyId!)).toMatchObject({ user: 'carol' });
  });

  it('--json into what is full, or to nobody -> failed as well, with what to revoke', async () => {
    const old = await keys.create({ user: 'carol' });
    const [full, closed, rotated] = await Promise.all([
      shell('$CLI create carol --json > /dev/full', { env }),
      shell('{ sleep 0.2; $CLI create carol --json; echo "exit $?" >&2; } | true', { env }),
      shell(`$CLI rotate ${old.record.keyId} --json > /dev/full`, { env }),
    ]);
    expect(full).toMatchObject({ code: 1, stdout: '' });
    expect(full.stderr).toMatch(
      /the disk is full; the key is lost: npx require-api-key revoke key_\w{10}\n/,
    );
    expect(closed.stderr).toMatch(
      /nothing reads it; the key is lost: npx require-api-key revoke key_\w{10}\nexit 1\n/,
    );
    expect(rotated.stderr).toMatch(
      /the key is lost: replace it, npx require-api-key rotate key_\w{10} /,
    );
  });

  it('into a file that others may read -> a warning; into one that they may not -> none', async () => {
    const cwd = folder();
    const [open, closed, json] = await Promise.all([
      shell('umask 022; $CLI create op > open.key', { cwd, env }),
      shell('umask 077; $CLI create op > closed.key', { cwd, env }),
      shell('umask 022; $CLI create op --json > open.json', { cwd, env }),
    ]);
    const warning = /^Warning: other users of this machine can read the file: chmod 600 it, /;
    expect([open, closed, json].map(({ stderr }) => warning.test(stderr))).toEqual([
      true,
      false,
      true,
    ]);
  });

  it.each([
    [['create']],
    [['create', 'x', '--expires', 'soon']],
    [['create', 'x', '--expires', '2020-01-01']],
    [['create', 'x', '--expires', '2099-02-31']],
    [['create', 'x', '--metadata', '[1]']],
    [['create', 'x', '--scope', 'a b']],
    [['create', 'x', '--scope', 'a,b']],
    [['create', 'x', '--scope', 'a', '--scope', 'b,c']],
    [['create', ' ']],
  ])('%j -> misused, and nothing is made', async (args) => {
    const { code, stdout, stderr } = await cli(args, { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .+\n$/);
  });
});

describe('list and show', () => {
  it('several keys -> a table of them, filtered by user and status, without what would move the cursor', async () => {
    const { record } = await keys.create({ user: 'dora', scopes: ['a', 'b'] });
    await database
      .pool()
      .query('update api_keys set name = $1 where key_id = $2', ['red \u001b[31m', record.keyId]);
    const { record: revoked } = await keys.create({ user: 'dora' });
    await keys.revoke(revoked.keyId);
    const [all, active, json, none] = await Promise.all([
      run('list', '--user', 'dora'),
      run('list', '--user', 'dora', '--status', 'active'),
      run('list', '--user', 'dora', '--json'),
      run('list', '--user', 'nobody'),
    ]);
    expect(all.stdout).toMatch(
      /^KEY ID +USER +NAME +SCOPES +STATUS +CREATED +LAST USED +EXPIRES\n/,
    );
    expect(all.stdout).toContain(revoked.keyId);
    expect(active.stdout).not.toContain(revoked.keyId);
    expect(active.stdout).toMatch(
      new RegExp(
        `\n${record.keyId}  dora  red \\?\\[31m  a b +active  \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC  never +never\n$`,
      ),
    );
    const records = JSON.parse(json.stdout) as Record<string, unknown>[];
    expect(records.map(({ keyId, status }) => [keyId, status])).toEqual([
      [revoked.keyId, 'revoked'],
      [record.keyId, 'active'],
    ]);
    expect(none).toEqual({ code: 0, stdout: '', stderr: 'There are no such keys.\n' });
  });

  it('more keys than the limit, or than a page -> said so; --all shows every one', async () => {
    const pool = database.pool();
    await pool.query(`insert into api_keys (key_id, user_name, digest)
      select 'key_' || lpad(n::text, 10, '0'), 'many', 'sha256:' || lpad(to_hex(n), 64, '0')
      from generate_series(1, 1234) n`);
    const [some, all] = await Promise.all([
      run('list', '--user', 'many', '--limit', '5', '--json'),
      run('list', '--user', 'many', '--all', '--json'),
    ]);
    expect(JSON.parse(some.stdout)).toHaveLength(5);
    expect(some.stderr).toBe(
      'Only the newest 5 are shown; for more give --all, or a higher --limit.\n',
    );
    const ids = (JSON.parse(all.stdout) as KeyRecord[]).map(({ keyId }) => keyId);
    expect(new Set(ids).size).toBe(1234);
    expect(all.stderr).toBe('');
  });

  it('a reader that leaves early -> quiet', async () => {
    const { code, stdout, stderr } = await shell(
      '$CLI list --user many --all | head -n 1; sleep 0',
      { env },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^KEY ID/);
  });

  it('show -> all that is known of one key; an unknown one fails', async () => {
    const { record } = await keys.create({ user: 'erin', metadata: { plan: 'pro' } });
    const [shown, json, unknown] = await Promise.all([
      run('show', record.keyId),
      run('show', record.keyId, '--json'),
      run('show', 'key_0000000000'),
    ]);
    expect(shown.stdout).toContain(
      `key id     ${record.keyId}\nuser       erin\nstatus     active\n`,
    );
    expect(shown.stdout).toContain('metadata   {"plan":"pro"}\n');
    expect(parsed(json.stdout)).toMatchObject({
      keyId: record.keyId,
      createdAt: record.createdAt.toISOString(),
    });
    expect(unknown).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: there is no key with this key id\n',
    });
  });
});

describe('rotate and revoke', () => {
  it('rotate --overlap 1h -> the new key alone on stdout, the old one ends in an hour; a second time fails', async () => {
    const old = await keys.create({ user: 'frank' });
    const before = Date.now();
    const { code, stdout, stderr } = await run('rotate', old.record.keyId, '--overlap', '1h');
    expect(code).toBe(0);
    const { keyId } = parseApiKey(stdout.trim())!;
    expect(stderr).toMatch(
      new RegExp(`^Created ${keyId} for frank; ${old.record.keyId} works until \\d{4}-`),
    );
    const previous = await keys.get(old.record.keyId);
    const overlap = previous!.expiresAt!.getTime() - before;
    expect(overlap).toBeGreaterThanOrEqual(3_600_000);
    expect(overlap).toBeLessThan(3_620_000);
    const again = await run('rotate', old.record.keyId);
    expect(again).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: the key has a successor already; its successor is ${keyId}: rotate that one\n`,
    });
    await keys.revoke(keyId);
    expect((await run('rotate', old.record.keyId)).stderr).toBe(
      'error: the key has a successor already; no successor of it works any more: create a new key\n',
    );
  });

  it('revoke of a rotated key -> its successors that work are named, with what revokes them', async () => {
    const { record: first } = await keys.create({ user: 'ivan' });
    const { record: second } = await keys.rotate(first.keyId);
    const { record: third } = await keys.rotate(second.keyId);
    const worksOn = (keyId: string) =>
      `Its successor ${keyId} still works; --family revokes it too.\n`;
    const [words, json] = [
      await run('revoke', first.keyId),
      await run('revoke', first.keyId, '--json'),
    ];
    const said = worksOn(second.keyId) + worksOn(third.keyId);
    expect(words).toEqual({
      code: 0,
      stdout: '',
      stderr: `Revoked ${first.keyId} of ivan.\n${said}`,
    });
    expect(json).toMatchObject({ code: 0, stderr: said });
    expect(JSON.parse(json.stdout)).toMatchObject([{ keyId: first.keyId }]);
    await keys.revoke(second.keyId);
    const again = await run('revoke', first.keyId);
    expect(again.stderr.split('\n').slice(1).join('\n')).toBe(worksOn(third.keyId));
    expect((await run('revoke', third.keyId)).stderr).toBe(`Revoked ${third.keyId} of ivan.\n`);
    expect((await run('revoke', first.keyId)).stderr).not.toContain('still works');
  });

  it('a second revoke, or one of a family with a revoked key -> said since when, and nothing is changed', async () => {
    const { record: first } = await keys.create({ user: 'dora' });
    const { record: second } = await keys.rotate(first.keyId);
    await run('revoke', first.keyId);
    const { revokedAt } = (await keys.get(first.keyId))!;
    const since = `${first.keyId} of dora was revoked already, at \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC.\n`;
    const again = await run('revoke', first.keyId);
    expect(again).toMatchObject({ code: 0, stdout: '' });
    expect(again.stderr).toMatch(new RegExp(`^${since}Its successor`));
    expect((await run('revoke', first.keyId, '--family')).stderr).toMatch(
      new RegExp(`^${since}Revoked ${second.keyId} of dora.\n$`),
    );
    expect((await keys.get(first.keyId))!.revokedAt).toEqual(revokedAt);
  });

  it('rotate -> the new key begins as the old one, whatever it begins with, or as --prefix says', async () => {
    const mine = new ApiKeyManager({ store, prefix: 'my_app2' });
    const { record } = await mine.create({ user: 'paula' });
    const next = parseApiKey((await run('rotate', record.keyId)).stdout.trim())!;
    expect(next.prefix).toBe('my_app2');
    const other = await run('rotate', next.keyId, '--prefix', 'key');
    expect(parseApiKey(other.stdout.trim())).toMatchObject({ prefix: 'key' });
    // An id that was not made here cannot begin a key.
    await store.insert({ ...record, keyId: 'Old-7', digest: `sha256:${'7'.repeat(64)}` });
    const odd = await run('rotate', 'Old-7');
    expect(parseApiKey(odd.stdout.trim()), odd.stderr).toMatchObject({ prefix: 'key' });
  });

  it('rotate --at-first-use -> the old key stays as it was until the new one is used', async () => {
    const { record } = await keys.create({ user: 'gina' });
    const { stdout } = await run(
      'rotate',
      record.keyId,
      '--at-first-use',
      '--overlap',
      '30m',
      '--json',
    );
    const answer = parsed(stdout) as Record<string, Record<string, unknown>>;
    expect(answer['record']).toMatchObject({ replaces: record.keyId, overlapMs: 1_800_000 });
    expect(answer['previous']).toMatchObject({ keyId: record.keyId, status: 'rotating' });
    expect(answer['previous']).not.toHaveProperty('expiresAt');
    const shown = await run('show', (answer['record'] as { keyId: string }).keyId);
    expect(shown.stdout).toContain('30m from the first use of this key');
  });

  it('revoke --family -> the key and its successor; an unknown id, or a whole key, is refused', async () => {
    const first = await keys.create({ user: 'hugo' });
    const { record: second } = await keys.rotate(first.record.keyId);
    const [unknown, whole] = await Promise.all([
      run('revoke', 'key_0000000000'),
      run('revoke', first.key),
    ]);
    expect(unknown).toMatchObject({ code: 1, stderr: 'error: there is no key with this key id\n' });
    expect(whole.code).toBe(2);
    expect(whole.stderr).toContain(`the key ${first.record.keyId} is in the arguments`);
    expect(whole.stderr).not.toContain(first.key);

    const { code, stdout, stderr } = await run('revoke', first.record.keyId, '--family');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(
      `Revoked ${first.record.keyId} of hugo.\nRevoked ${second.keyId} of hugo.\n`,
    );
    expect(await store.get(second.keyId)).toHaveProperty('revokedAt');
  });
});

describe('what is no key id', () => {
  it.each([[['show']], [['revoke']], [['rotate', '--overlap', '1h']], [['update', '--name', 'x']]])(
    '%j with the name of a user -> failed, with the line that lists the keys of the user',
    async ([command, ...options]) => {
      const { code, stdout, stderr } = await run(command!, 'alice@partner.example', ...options);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toBe(
        'error: there is no key with this key id; key ids look like key_4fQz81LmBw, see npx require-api-key list --user alice@partner.example\n',
      );
    },
  );

  it('what may be a key of another form -> not repeated', async () => {
    const legacy = 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a';
    const { stderr } = await run('revoke', legacy, '--table', 'api_keys');
    expect(stderr).toContain('see npx require-api-key list --table api_keys --user <user>\n');
    expect(stderr).not.toContain(legacy);
  });

  it('the id of a claim link -> failed, with the line that revokes it', async () => {
    const { code, stderr } = await run('show', 'claim_0000000000');
    expect(code).toBe(1);
    expect(stderr).toBe(
      'error: there is no key with this key id; for a claim link use npx require-api-key revoke claim_0000000000\n',
    );
  });

  it('one more key than --limit 1 shows -> said so', async () => {
    await keys.create({ user: 'twice' });
    await keys.create({ user: 'twice' });
    const { stderr } = await run('list', '--user', 'twice', '--limit', '1', '--json');
    expect(stderr).toBe('Only the newest 1 are shown; for more give --all, or a higher --limit.\n');
  });
});

describe('what the database holds', () => {
  const hostile = 'mallory\u001b]0;owned\u0007\u009b31m\u202e\nRevoked key_0000000000 of root.';

  it('a user with escape sequences, bidi marks or a line of its own -> none reaches the terminal', async () => {
    const { record } = await keys.create({ user: 'mallory' });
    await database
      .pool()
      .query('update api_keys set user_name = $1 where key_id = $2', [hostile, record.keyId]);
    const outputs = [
      await run('show', record.keyId),
      await run('show', record.keyId, '--json'),
      await run('rotate', record.keyId, '--overlap', '1h'),
      await run('revoke', record.keyId),
    ];
    for (const { code, stdout, stderr } of outputs) {
      expect(code).toBe(0);
      expect(stdout + stderr).toContain('mallory');
      // oxlint-disable-next-line no-control-regex -- these are what is looked for
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(stdout + stderr).not.toMatch(/^Revoked key_0000000000/m);
    }
    expect(parsed(outputs[1]!.stdout)).toMatchObject({ user: hostile });
  });

  it('an error text with escape sequences -> none reaches the terminal', async () => {
    const other = await createDatabase();
    await new PostgresKeyStore({ client: other.pool() }).migrate();
    await new ApiKeyManager({ store: new PostgresKeyStore({ client: other.pool() }) }).create({
      user: 'x',
    });
    await other.pool().query(`
      create function boom() returns boolean language plpgsql as
        $$ begin raise exception E'\\x1b]0;owned\\x07'; end $$;
      alter table api_keys rename to real_keys;
      create view api_keys as select * from real_keys where boom();`);
    for (const command of [['list'], ['list', '--json']]) {
      const { code, stdout, stderr } = await cli(command, {
        cwd: folder(),
        env: { DATABASE_URL: other.url },
      });
      expect(code).toBe(1);
      expect(stdout + stderr).toContain('?]0;owned?');
    }
  });
});

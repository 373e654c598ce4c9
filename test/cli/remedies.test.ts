import { describe, expect, it } from 'vitest';
import { commandOn, quote } from '../../src/cli/paste-line.js';
import { ApiKeyManager } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, folder, shell } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const pool = database.pool();
const env = { DATABASE_URL: database.url };

async function remediesOf(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = env,
) {
  const { stdout } = await cli(['doctor', '--json', ...args], { cwd: folder(), env: environment });
  const { findings } = JSON.parse(stdout) as { findings: { remedy?: string }[] };
  return findings.flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy]));
}

describe('a line to paste', () => {
  it.each([
    ['alice', 'alice'],
    ["o'neil", String.raw`'o'\''neil'`],
    ['$(touch x)', `'$(touch x)'`],
    ['a b', `'a b'`],
    ['', `''`],
  ])('the word %j -> %s, which a shell takes as it stands', async (word, quoted) => {
    expect(quote(word)).toBe(quoted);
    expect((await shell(`printf %s ${quoted}`)).stdout).toBe(word);
  });

  it.each([
    ['postgres://bob@db.example/app', 'postgres://bob@db.example/app'],
    ['postgres:///app?host=/run/postgresql', `'postgres:///app?host=/run/postgresql'`],
    ['postgres://bob:hunter2@db.example/app', '<url>'],
    ['postgres://db.example/app?user=bob&password=hunter2', '<url>'],
    ['postgres://db.example/app?sslpassword=hunter2', '<url>'],
    ['postgres://bob:hun/ter2@db.example/app', '<url>'],
    ['bob:hunter2@db.example', '<url>'],
  ])('--database %s -> shown as %s', (url, shown) => {
    expect(commandOn({ database: url }, 'migrate')).toBe(
      `npx require-api-key migrate --database ${shown}`,
    );
  });
});

describe('remedies', () => {
  it('doctor on another schema, table and database -> each line names them, ready to paste', async () => {
    const options = ['--schema', 'other schema', '--table', 'none'];
    expect(
      await remediesOf([...options, '--variable', 'X'], { ...env, X: 'x'.repeat(40) }),
    ).toEqual([
      'replace it: npx require-api-key generate --env X',
      `run npx require-api-key migrate --schema 'other schema' --table none`,
    ]);
    const [remedy] = (await remediesOf([...options, '--database', database.url], {})).slice(-1);
    expect(remedy).toBe(
      `run npx require-api-key migrate --database ${database.url} --schema 'other schema' --table none`,
    );
    const line = remedy!.replace('run npx require-api-key', '$CLI');
    expect(await shell(line)).toMatchObject({ code: 0 });
    expect(
      await remediesOf([...options, '--variable', 'X'], {
        ...env,
        X: 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a',
      }),
    ).toEqual([]);
  });

  it('doctor on keys that are forgotten, in a table of another name -> lines for that table', async () => {
    await new PostgresKeyStore({ client: pool, table: 'partners' }).migrate();
    await pool.query(`insert into partners (key_id, user_name, digest, created_at)
      values ('key_unused0000', 'alice', 'sha256:' || encode(sha256('x'), 'hex'), now() - interval '30 days')`);
    expect(
      await remediesOf(['--table', 'partners', '--variable', 'X'], {
        ...env,
        X: 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a',
      }),
    ).toEqual([
      'ask the user, or revoke the key: npx require-api-key revoke --table partners <keyId>',
    ]);
  });

  it('a table that is not there, by another name -> the line that makes it', async () => {
    const { code, stderr } = await cli(['list', '--table', 'nowhere'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('npx require-api-key migrate --table nowhere\n');
  });

  it('a key that is lost on the way to stdout -> the line that revokes or replaces it, on its table', async () => {
    const store = new PostgresKeyStore({ client: pool, table: 'lost' });
    await store.migrate();
    const keys = new ApiKeyManager({ store });
    const { record } = await keys.create({ user: 'mallory; touch x' });
    const [created, rotated, claimed] = await Promise.all([
      shell('$CLI create alice --table lost > /dev/full', { env }),
      shell(`$CLI rotate ${record.keyId} --table lost > /dev/full`, { env }),
      shell('$CLI claim alice --table lost --base-url https://host/claim > /dev/full', { env }),
    ]);
    expect(created.stderr).toMatch(
      /the key is lost: npx require-api-key revoke --table lost key_\w{10}\n$/,
    );
    expect(claimed.stderr).toMatch(
      /the link is lost: npx require-api-key revoke --table lost claim_\w{10}\n$/,
    );
    expect(rotated.stderr).not.toContain('mallory');
    const [, line] = /the key is lost: replace it, npx require-api-key (.+)\n$/.exec(
      rotated.stderr,
    )!;
    expect(await shell(`$CLI ${line}`, { env })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^key_\w{48}\n$/) as unknown,
    });
  });
});

describe('what the library says of an option', () => {
  it.each([
    [['rotate', 'key_0000000000', '--overlap', '31d'], '--overlap', 'Write 0s to 30d.'],
    [
      ['claim', 'x', '--base-url', 'https://h/c', '--link-ttl', '30s'],
      '--link-ttl',
      'Write 1m to 30d.',
    ],
    [['prune', '--older-than', '36501d'], '--older-than', 'Write 0s to 36500d.'],
    [['check', 'http://127.0.0.1:1', '--timeout', '9999w'], '--timeout', 'Write 1s to 1h.'],
    [['create', 'x', '--expires', '999999w'], '--expires', 'That is too far in the future.'],
    [['create', 'x', '--scope', 'a"b'], '--scope', 'must be'],
    [
      ['create', 'x', '--metadata', JSON.stringify({ a: 'x'.repeat(10_001) })],
      '--metadata',
      'must be',
    ],
    [['claim', 'x', '--base-url', 'https://h/c', '--name', ' '], '--name', 'must be'],
    [['create', ' '], 'the user', 'must be'],
    [['import', 'x', '--digest', 'sha256:abc'], '--digest', 'must be'],
    [['list', '--schema', ''], '--schema', 'must be'],
  ])('%j -> %s, as it was typed, with what it takes', async (args, option, sentence) => {
    const { code, stderr } = await cli(args, { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .+\n$/);
    expect(stderr).toContain(option);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/\w+Ms\b|expiresAt|scopes"|\d{8,}/);
  });
});

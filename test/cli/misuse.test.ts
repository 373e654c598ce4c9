import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generateApiKey } from '../../src/index.js';
import { cli, cliFile, folder, startProcess } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();

describe('bad input', () => {
  it.each<[string[], RegExp]>([
    [['revok'], /^error: unknown command 'revok'; did you mean revoke\?\n$/],
    [['list', '--satus', 'active'], /^error: unknown option '--satus'; did you mean --status\?\n$/],
    [
      ['list', '--status', 'dead'],
      /^error: option '--status <status>' argument 'dead' is invalid. Allowed choices are active, /,
    ],
    [['show'], /^error: missing required argument 'keyId'\n$/],
    [
      ['rotate', 'key_0000000000', '--overlap', '1'],
      /^error: .* is invalid. Write 30m, 24h, 90d or 2w.\n$/,
    ],
    [
      ['list', '--table', ''],
      /^error: --table must be a name of 1 to \d+ bytes; received an empty string\n$/,
    ],
    [
      ['create', 'alice', '--scope', 'a,b'],
      /^error: option '--scope <scope>' argument 'a,b' is invalid. A scope has no blanks and no commas: repeat --scope for each, --scope read --scope write.\n$/,
    ],
    [
      ['create', 'carol', '--scope', 'a b'],
      /A scope has no blanks and no commas: repeat --scope for each, /,
    ],
    [['list', 'bob'], /^error: too many arguments: list takes none; write list --user bob\n$/],
    [
      ['generate', 'alice'],
      /^error: too many arguments: generate takes none; write generate --env API_KEYS --user alice\n$/,
    ],
    [
      ['create', 'alice', 'bob'],
      /^error: too many arguments: create takes only <user>; run create once for each\n$/,
    ],
    [
      ['revoke', 'key_0000000000', 'key_0000000001'],
      /^error: too many arguments: revoke takes only <id>; run revoke once for each\n$/,
    ],
    [['migrate', 'now'], /^error: too many arguments: migrate takes none; see migrate --help\n$/],
    [
      ['import', 'alice', 'a-secret'],
      /^error: too many arguments: import takes only <user>; a key is never read from the arguments, only from standard input or a file\n$/,
    ],
    [
      ['check', 'https://127.0.0.1:1', 'a-secret'],
      /^error: too many arguments: check takes only <url>; a key is never read from the arguments, /,
    ],
    [
      ['create', 'alice', 'a-secret-that-is-longer-than-names'],
      /^error: too many arguments: create takes only <user>; a key is never read from the arguments, /,
    ],
    [
      ['create', '--user', 'alice'],
      /^error: the user is an argument, not an option: write create alice\n$/,
    ],
    [
      ['claim', '--user=a b', '--base-url', 'https://host/claim'],
      /^error: the user is an argument, not an option: write claim <user>\n$/,
    ],
    [
      ['import', '--user', 'alice'],
      /^error: the user is an argument, not an option: write import alice\n$/,
    ],
    [
      ['create', 'alice', '--name', 'x'.repeat(300)],
      /^error: --name must be at most 256 characters long; /,
    ],
    [
      ['generate', '--key=a-secret-of-somebody'],
      /^error: unknown option '--key'.* A key is never read from the arguments/,
    ],
  ])('%j -> exit 2 in one sentence', async (args, message) => {
    const { code, stdout, stderr } = await cli(args, { env: { DATABASE_URL: database.url } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).not.toContain('a-secret');
  });

  it('no command at all -> the help on stderr, exit 2; --help and --version -> on stdout, exit 0', async () => {
    const [none, help, version] = await Promise.all([cli([]), cli(['--help']), cli(['--version'])]);
    expect(none).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^Usage: /) as unknown,
    });
    expect(help).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Usage: /) as unknown,
      stderr: '',
    });
    expect(version).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as unknown,
      stderr: '',
    });
  });

  it('a whole key among the arguments of any command -> refused before anything is done, and not repeated', async () => {
    const { key, keyId } = generateApiKey();
    const lines = [
      ['show', key],
      ['check', `https://127.0.0.1:1/?api_key=${key}`],
      ['import', 'alice', `--key=${key}`],
    ];
    for (const { code, stdout, stderr } of await Promise.all(
      lines.map((args) => cli([...args, '--debug'])),
    )) {
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`the key ${keyId} is in the arguments`);
      expect(stderr).not.toContain(key);
    }
  });
});

describe('the database', () => {
  it('DATABASE_URL in .env, in the environment, in --database -> the later one counts', async () => {
    const nowhere = 'postgres://127.0.0.1:1/x';
    const cwd = folder({ '.env': `DATABASE_URL=${database.url}\n` });
    const [file, environment, option] = await Promise.all([
      cli(['migrate'], { cwd }),
      cli(['migrate'], { cwd, env: { DATABASE_URL: nowhere } }),
      cli(['migrate', '--database', database.url], { cwd, env: { DATABASE_URL: nowhere } }),
    ]);
    expect([file.code, environment.code, option.code]).toEqual([0, 1, 0]);
    expect(file.stdout).toBe('');
  });

  it.each([
    [['migrate']],
    [['create', 'alice', '--out', 'alice.key']],
    [['claim', 'alice', '--base-url', 'https://host/claim']],
    [['claims']],
    [['revoke', 'claim_0000000000']],
    [['list']],
    [['show', 'key_0000000000']],
    [['update', 'key_0000000000', '--name', 'x']],
    [['rotate', 'key_0000000000']],
    [['revoke', 'key_0000000000']],
    [['import', 'alice']],
    [['import', '--file', '-']],
    [['adopt']],
    [['prune', '--older-than', '90d']],
  ])('%j without a database -> misused, in one line that says what to set', async (args) => {
    const cwd = folder();
    expect(await cli(args, { cwd })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'error: no database is set: put DATABASE_URL=postgres://... or DATABASE_URL=file:keys.db into the environment or .env, or give --database <url>\n',
    });
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('none named, or one that is neither PostgreSQL nor a file -> misused', async () => {
    const secret = 'hunter2#hunter2';
    const [none, otherDatabase, broken] = await Promise.all([
      cli(['list'], { cwd: folder() }),
      cli(['list', '--database', `mysql://root:${secret}@localhost/x`]),
      cli(['list', '--database', `postgres://root:${secret}@localhost/x`]),
    ]);
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: no database is set: put DATABASE_URL=/) as unknown,
    });
    expect(otherDatabase).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/is neither a PostgreSQL URL nor a SQLite file/) as unknown,
    });
    expect(broken).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/percent-encode/) as unknown,
    });
    for (const { stderr } of [otherDatabase, broken]) expect(stderr).not.toContain('hunter2');
  });

  it.each([
    'postgres://app:123/SECRETPW@db.invalid/prod',
    'postgres://app:123?SECRETPW@db.invalid/prod',
    'postgres://app:123#SECRETPW@db.invalid/prod',
    'postgres:app:SECRETPW@h/db',
    'postgres:///SECRETPW:PW@h/db',
    'socket:app:SECRETPW@/tmp',
  ])('%s, whose password is not encoded -> misused, and no part of it is told', async (url) => {
    const { code, stdout, stderr } = await cli(['list', '--debug'], { env: { DATABASE_URL: url } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: DATABASE_URL cannot be read: percent-encode /);
    expect(stderr).not.toContain('SECRETPW');
  });

  it.each([
    ['postgres://127.0.0.1:1/an/odd/name', 'the database 127.0.0.1:1 cannot be used'],
    ['postgres:///app?host=127.0.0.1&port=1', 'the database /app cannot be used'],
  ])('%s -> named by what is sure to be host and name', async (url, sentence) => {
    const { code, stderr } = await cli(['list'], { env: { DATABASE_URL: url } });
    expect(code).toBe(1);
    expect(stderr).toContain(`error: ${sentence}: the connection was refused`);
  });

  it('one that cannot be reached, or lets nobody in -> one sentence; more with --debug; never a password', async () => {
    const secret = 'hunter2-hunter2';
    const url = `postgres://root:${secret}@127.0.0.1:1/app?sslmode=disable`;
    const [brief, full] = await Promise.all([
      cli(['list'], { env: { DATABASE_URL: url } }),
      cli(['list', '--database', url, '--debug']),
    ]);
    expect(brief).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: the database 127.0.0.1:1/app cannot be used: the connection was refused (nothing listens there)\n',
    });
    expect(full.code).toBe(1);
    expect(full.stderr).toContain('    at ');
    expect(full.stderr).not.toContain(secret);
  });

  it('a role without rights -> failed in one sentence', async () => {
    await cli(['migrate'], { env: { DATABASE_URL: database.url } });
    const role = `role_${Date.now()}`;
    await database.pool().query(`create role ${role} login`);
    const url = new URL(database.url);
    url.username = role;
    const { code, stderr } = await cli(['list'], { env: { DATABASE_URL: url.href } });
    await database.pool().query(`drop role ${role}`);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `error: list failed: permission denied for table api_keys; the role needs a right: grant select on "public"."api_keys" to "${role}"\n`,
    });
  });
});

describe('an answer that never comes', () => {
  it('the process ends with nothing decided -> failed', async () => {
    const neverWritten = 'data:text/javascript,process.stdout.write=()=>true';
    const { code, stderr } = await startProcess(process.execPath, [
      '--import',
      neverWritten,
      cliFile,
      'generate',
    ]).finished;
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'error: it stopped before it finished\n' });
  });
});

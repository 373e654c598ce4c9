import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, folder } from '../support/cli.js';

const env = { DATABASE_URL: 'file:keys.db' };

/** A folder with a migrated file of keys. */
async function migrated(): Promise<string> {
  const cwd = folder();
  expect(await cli(['migrate'], { cwd, env })).toMatchObject({ code: 0 });
  return cwd;
}

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { readonly code: string; readonly remedy?: string }[];
}

async function doctor(cwd: string, more: Readonly<Record<string, string>> = {}): Promise<Report> {
  const key = 'INTERNAL-0123456789-abcdefgh-0123456789';
  const variables = { ...env, INTERNAL_API_KEY: key, ...more };
  const { stdout } = await cli(['doctor', '--json'], { cwd, env: variables });
  return JSON.parse(stdout) as Report;
}

const codesOf = ({ findings }: Report) => findings.map(({ code }) => code);

describe('a command with a SQLite file', () => {
  it('migrate -> creates the file for this user alone, and says so once more of the same', async () => {
    const cwd = await migrated();
    expect(statSync(join(cwd, 'keys.db')).mode & 0o777).toBe(0o600);
    const again = await cli(['migrate'], { cwd, env });
    expect(again.stderr).toMatch(/^The table api_keys is up to date \(version \d+\)\.\n$/);
  });

  it('create, list, rotate, claim, revoke -> as on PostgreSQL, with --database too', async () => {
    const cwd = await migrated();
    const database = ['--database', `file:${join(cwd, 'keys.db')}`];
    const created = await cli(['create', 'alice', '--json', ...database], { cwd });
    const { record } = JSON.parse(created.stdout) as { record: { keyId: string } };
    const rotated = await cli(['rotate', record.keyId, '--json'], { cwd, env });
    expect(JSON.parse(rotated.stdout)).toMatchObject({ previous: { keyId: record.keyId } });
    const link = ['claim', 'bob', '--base-url', 'https://api.example.com/claim'];
    expect((await cli(link, { cwd, env })).stdout).toMatch(/\/claim#[\w-]{43}\n$/);
    expect(await cli(['revoke', record.keyId], { cwd, env })).toMatchObject({ code: 0 });
    const listed = await cli(['list', '--user', 'alice', '--json'], { cwd, env });
    expect(listed.stdout).toContain(record.keyId);
  });

  it.each([
    [
      'a path that is wrong',
      ['list'],
      { DATABASE_URL: 'file:other.db' },
      1,
      'there is no file other.db',
    ],
    ['a path without file:', ['list'], { DATABASE_URL: 'keys.db' }, 2, 'file:keys.db'],
    ['no path', ['list'], { DATABASE_URL: 'file:' }, 2, 'does not name a file'],
    ['a host', ['list'], { DATABASE_URL: 'file://host/keys.db' }, 2, 'does not name a file'],
    [
      'a URL with a stray %',
      ['list'],
      { DATABASE_URL: 'file:///a%.db' },
      2,
      'does not name a file',
    ],
    ['memory', ['list'], { DATABASE_URL: 'file::memory:' }, 2, 'does not name a file'],
    ['parameters', ['list'], { DATABASE_URL: 'file:keys.db?mode=ro' }, 2, 'without "?"'],
    ['--schema', ['list', '--schema', 'x'], env, 2, 'leave out --schema'],
    ['adopt', ['adopt'], env, 2, 'needs a PostgreSQL database'],
    ['a folder that is not there', ['migrate'], { DATABASE_URL: 'file:a/b.db' }, 1, 'a/b.db'],
  ])('%s -> one sentence, and no file is made', async (_what, args, variables, code, said) => {
    const cwd = folder();
    const finished = await cli(args, { cwd, env: variables });
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).toMatch(/^error: [^\n]+\n$/);
    expect(finished.stderr).toContain(said);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('a file that is no database -> said, and left as it is', async () => {
    const cwd = folder({ 'keys.db': 'these are no keys, but a text of some length' });
    const finished = await cli(['list'], { cwd, env });
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('is not a SQLite database');
    expect(statSync(join(cwd, 'keys.db')).size).toBe(44);
  });
});

describe('doctor on a SQLite file', () => {
  it('a file that is fine -> no problem, and a note on disks that are thrown away', async () => {
    const report = await doctor(await migrated());
    expect(report.ok).toBe(true);
    expect(codesOf(report)).toEqual(['ephemeral_disk']);
  });

  it('no file -> its remedy, pasted, mends it', async () => {
    const cwd = folder();
    const report = await doctor(cwd);
    expect(codesOf(report)).toEqual(['missing_file']);
    expect(report.findings[0]!.remedy).toContain('npx require-api-key migrate');
    expect(existsSync(join(cwd, 'keys.db'))).toBe(false);
  });

  it('a file without tables -> not_migrated', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'keys.db'), '', { mode: 0o600 });
    expect(codesOf(await doctor(cwd))).toContain('not_migrated');
  });

  it('a folder in its place -> said in one sentence, by doctor and every command', async () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'keys.db'));
    const report = await doctor(cwd);
    expect(report.ok).toBe(false);
    expect(JSON.stringify(report)).toContain('keys.db is a folder; name a file in it');
    const listed = await cli(['list'], { cwd, env });
    expect(listed.stderr).toMatch(/^error: [^\n]*keys\.db is a folder; name a file in it\n$/);
  });

  it('a file that others may read -> readable_file, with chmod as its remedy', async () => {
    const cwd = await migrated();
    chmodSync(join(cwd, 'keys.db'), 0o644);
    const report = await doctor(cwd);
    expect(report.ok).toBe(false);
    const found = report.findings.find(({ code }) => code === 'readable_file');
    expect(found!.remedy).toBe('chmod 600 keys.db');
  });

  it('a file that was cut short -> damaged_file', async () => {
    const cwd = await migrated();
    const path = join(cwd, 'keys.db');
    truncateSync(path, Math.floor(statSync(path).size / 2));
    expect(codesOf(await doctor(cwd))).toContain('damaged_file');
  });

  it('a host that throws disks away -> a warning that names it', async () => {
    const report = await doctor(await migrated(), { DYNO: 'web.1' });
    expect(report.ok).toBe(false);
    expect(JSON.stringify(report)).toContain('Heroku throws the local disk away');
  });
});

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ApiKeyManager, parseApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, cliFile, folder, shell, startProcess } from '../support/cli.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const store = new PostgresKeyStore({ client: database.pool() });
const keys = new ApiKeyManager({ store });
const env = { DATABASE_URL: database.url };
await store.migrate();

const baseUrl = 'https://api.example.com/claim';
const modeOf = (file: string) => statSync(file).mode & 0o777;
const isLinked = process.platform !== 'win32';

/** Every second write-through fails: the reservation is written, the secret is not. */
const failingLate =
  "data:text/javascript,import fs from 'node:fs';import{syncBuiltinESMExports}from'node:module';let n=0;const f=fs.fsyncSync;" +
  "fs.fsyncSync=(d)=>{if(n++)throw Object.assign(new Error('x'),{code:'EIO'});f(d)};syncBuiltinESMExports()";
const failing = (args: readonly string[], cwd: string) =>
  startProcess(process.execPath, ['--import', failingLate, cliFile, ...args], { cwd, env })
    .finished;

describe('--out', () => {
  it('create, generate, rotate and claim -> the secret alone in a file of mode 0600, whatever the umask', async () => {
    const cwd = folder();
    const old = await keys.create({ user: 'alice' });
    const made = await Promise.all([
      shell('umask 000; $CLI create alice --out create', { cwd, env }),
      shell('umask 000; $CLI generate --out generate', { cwd }),
      shell('umask 000; $CLI generate --env API_KEYS --user bob --out line', { cwd }),
      shell(`umask 000; $CLI rotate ${old.record.keyId} --out rotate`, { cwd, env }),
      shell(`umask 000; $CLI claim alice --base-url ${baseUrl} --out claim`, { cwd, env }),
    ]);
    const forms = {
      create: /^key_\w{48}\n$/,
      generate: /^key_\w{48}\n$/,
      line: /^API_KEYS=bob:key_\w{48}\n$/,
      rotate: /^key_\w{48}\n$/,
      claim: /^https:\/\/api\.example\.com\/claim#[\w-]{43}\n$/,
    };
    for (const [index, [name, form]] of Object.entries(forms).entries()) {
      const text = readFileSync(join(cwd, name), 'utf8');
      expect(text).toMatch(form);
      if (isLinked) expect(modeOf(join(cwd, name))).toBe(0o600);
      const { code, stdout, stderr } = made[index]!;
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      expect(stderr).toContain(
        `The ${name === 'claim' ? 'link' : 'key'} is in ${name}, which only you can read.\n`,
      );
      expect(stderr).not.toContain(text.trim().split(/[#:=]/).at(-1));
    }
    expect(await keys.verify(readFileSync(join(cwd, 'rotate'), 'utf8').trim())).toMatchObject({
      ok: true,
    });
    expect(readdirSync(cwd).toSorted()).toEqual(Object.keys(forms).toSorted());
  });

  it('--json beside it -> the file by name and the record, and the secret in the file alone', async () => {
    const cwd = folder();
    const [created, claimed, generated] = await Promise.all([
      cli(['create', 'alice', '--json', '--out', 'a.key'], { cwd, env }),
      cli(['claim', 'alice', '--json', '--base-url', baseUrl, '--out', 'a.link'], { cwd, env }),
      cli(['generate', '--json', '--env', 'X', '--out', 'b.key'], { cwd }),
    ]);
    const key = readFileSync(join(cwd, 'a.key'), 'utf8').trim();
    const { keyId } = parseApiKey(key)!;
    expect(JSON.parse(created.stdout)).toMatchObject({
      file: 'a.key',
      record: { keyId, user: 'alice' },
    });
    expect(JSON.parse(claimed.stdout)).toMatchObject({ file: 'a.link', claim: { user: 'alice' } });
    expect(Object.keys(JSON.parse(generated.stdout) as object)).toEqual([
      'file',
      'keyId',
      'digest',
      'digestLine',
    ]);
    expect(created.stdout).not.toContain(key);
    expect(claimed.stdout).not.toContain(
      readFileSync(join(cwd, 'a.link'), 'utf8').trim().split('#')[1],
    );
    expect(generated.stdout).not.toContain(
      readFileSync(join(cwd, 'b.key'), 'utf8').trim().split('=')[1],
    );
  });

  it('a file that is there -> kept, and no key is made; with --force replaced, its mode with it', async () => {
    const cwd = folder({ 'alice.key': 'the old key\n' });
    const file = join(cwd, 'alice.key');
    chmodSync(file, 0o644);
    const args = ['create', 'kept', '--out', 'alice.key'];
    expect(await cli(args, { cwd, env })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: alice.key exists already: give another name, or --force to replace it\n',
    });
    expect(readFileSync(file, 'utf8')).toBe('the old key\n');
    expect(await keys.list({ user: 'kept' })).toEqual([]);

    expect(await cli([...args, '--force'], { cwd, env })).toMatchObject({ code: 0, stdout: '' });
    expect(await keys.verify(readFileSync(file, 'utf8').trim())).toMatchObject({ ok: true });
    if (isLinked) expect(modeOf(file)).toBe(0o600);
    expect(readdirSync(cwd)).toEqual(['alice.key']);
  });

  it('a folder that is not there, a folder, a link to nowhere -> failed before a key is made', async () => {
    const cwd = folder();
    mkdirSync(join(cwd, 'folder'));
    symlinkSync('nowhere', join(cwd, 'link'));
    const attempts = [
      ['none/a.key', 'error: none/a.key cannot be written: the folder does not exist\n'],
      ['folder', 'error: folder is not a regular file\n'],
      ['link', 'error: link is not a regular file\n'],
    ] as const;
    for (const [file, stderr] of attempts) {
      const result = await cli(['create', 'unmade', '--force', '--out', file], { cwd, env });
      expect(result).toEqual({ code: 1, stdout: '', stderr });
    }
    expect(await keys.list({ user: 'unmade' })).toEqual([]);
    expect(readdirSync(cwd).toSorted()).toEqual(['folder', 'link']);
  });

  it('the command fails before there is a key -> no file, or the one that was there', async () => {
    const cwd = folder({ 'old.key': 'the old key\n' });
    const nowhere = { DATABASE_URL: 'postgres://127.0.0.1:1/x' };
    const results = await Promise.all([
      cli(['create', 'alice', '--out', 'new.key'], { cwd, env: nowhere }),
      cli(['create', 'alice', '--out', 'old.key', '--force'], { cwd, env: nowhere }),
      cli(['rotate', 'key_0000000000', '--out', 'rotated.key'], { cwd, env }),
    ]);
    expect(results.map(({ code }) => code)).toEqual([1, 1, 1]);
    expect(readdirSync(cwd)).toEqual(['old.key']);
    expect(readFileSync(join(cwd, 'old.key'), 'utf8')).toBe('the old key\n');
  });

  it('the file cannot take the secret after all -> nothing is printed, and what was made is taken back', async () => {
    const cwd = folder({ 'old.key': 'the old key\n' });
    const [created, replaced, claimed, generated] = await Promise.all([
      failing(['create', 'late', '--out', 'a.key'], cwd),
      failing(['create', 'late', '--out', 'old.key', '--force'], cwd),
      failing(['claim', 'late', '--base-url', baseUrl, '--out', 'a.link'], cwd),
      failing(['generate', '--out', 'b.key'], cwd),
    ]);
    const failed = (file: string, fate: string) => ({
      code: 1,
      stdout: '',
      stderr: `error: ${file} cannot be written: EIO; ${fate}\n`,
    });
    expect(created).toEqual(failed('a.key', 'the key is lost and revoked: try again'));
    expect(replaced).toEqual(failed('old.key', 'the key is lost and revoked: try again'));
    expect(claimed).toEqual(failed('a.link', 'the link is lost and revoked: try again'));
    expect(generated).toEqual(failed('b.key', 'the key is lost: generate another'));
    expect(await keys.list({ user: 'late', status: 'active' })).toEqual([]);
    expect(await keys.list({ user: 'late' })).toHaveLength(2);
    const links = (await keys.listClaims()).filter(({ user }) => user === 'late');
    expect(links).toMatchObject([{ revokedAt: expect.any(Date) as unknown }]);
    expect(readdirSync(cwd)).toEqual(['old.key']);
    expect(readFileSync(join(cwd, 'old.key'), 'utf8')).toBe('the old key\n');
  });

  it.each([[[]], [['--at-first-use']]])(
    'a rotation %j whose file cannot take the key -> the old key works on, and the remedy makes another successor',
    async (options) => {
      const cwd = folder();
      const old = await keys.create({ user: 'late-rotation', name: 'ci', scopes: ['audio:read'] });
      const { keyId } = old.record;
      const { code, stdout, stderr } = await failing(
        ['rotate', keyId, ...options, '--out', 'a.key'],
        cwd,
      );
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      const [, remedy] =
        /^error: a\.key cannot be written: EIO; the key is lost: replace it, npx require-api-key (.+)\n$/.exec(
          stderr,
        )!;
      expect(await cli([...remedy!.split(' '), '--out', 'a.key'], { cwd, env })).toMatchObject({
        code: 0,
      });
      const key = readFileSync(join(cwd, 'a.key'), 'utf8').trim();
      expect(await keys.verify(key)).toMatchObject({
        ok: true,
        apiKey: { name: 'ci', scopes: ['audio:read'] },
      });
      expect(await keys.verify(old.key)).toMatchObject({ ok: true });
      expect((await keys.get(keyId))!.expiresAt).toBeInstanceOf(Date);
      const [, lost] = /rotate (key_\w+)/.exec(remedy!)!;
      expect(await keys.list({ user: 'late-rotation', status: 'expired' })).toMatchObject([
        { keyId: lost },
      ]);
      for (const each of await keys.list({ user: 'late-rotation' })) await keys.revoke(each.keyId);
      await database.pool().query(`delete from api_keys where user_name = 'late-rotation'`);
    },
  );

  it('Ctrl-C while the database is waited for -> no file is left', async () => {
    const cwd = folder();
    const holder = await database.client();
    await holder.query('begin; lock table api_keys');
    const { child, finished } = startProcess(
      process.execPath,
      [cliFile, 'create', 'alice', '--out', 'alice.key'],
      { cwd, env },
    );
    await expect.poll(() => existsSync(join(cwd, 'alice.key')), { timeout: 10_000 }).toBe(true);
    child.kill('SIGINT');
    const stopped = await finished;
    await holder.query('rollback');
    expect(stopped).toMatchObject({ code: 130, stdout: '' });
    expect(stopped.stderr).toContain('may have been created');
    expect(readdirSync(cwd)).toEqual([]);
  });

  it.each([
    [['create', 'misused', '--force']],
    [['create', 'misused', '--out', '']],
    [['create', 'misused', '--out', '-']],
  ])('%j -> misused, and no key is made', async (args) => {
    const { code, stdout, stderr } = await cli(args, { cwd: folder(), env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .+\n$/);
    expect(await keys.list({ user: 'misused' })).toEqual([]);
  });
});

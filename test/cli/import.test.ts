import { describe, expect, it } from 'vitest';
import { ApiKeyManager, digestApiKey, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, folder, shell, startCli } from '../support/cli.js';
import { untilBlocked } from '../support/lock.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const pool = database.pool();
const env = { DATABASE_URL: database.url };
const store = new PostgresKeyStore({ client: pool });
await store.migrate();
const keys = new ApiKeyManager({ store, legacyKeys: true });

const legacy = (name: string) => `${name}-0123456789-abcdefghijklmnopqrst`;
const note =
  'To accept keys from elsewhere, the server needs new ApiKeyManager({ store, legacyKeys: true }).\n';
const userOf = async (key: string) => (await store.findByDigest(digestApiKey(key)))?.user;

describe('import of one key', () => {
  it('on standard input, in a file and as a digest -> known from then on, and never printed', async () => {
    const { key } = generateApiKey();
    const cwd = folder({ 'bob.key': `${legacy('bob')}\n` });
    const [piped, filed, digested] = await Promise.all([
      cli(['import', 'alice', '--name', 'old', '--json'], { env, input: `${key}\n` }),
      cli(['import', 'bob', '--key-file', 'bob.key', '--scope', 'x'], { env, cwd }),
      cli(['import', 'carol', '--digest', digestApiKey(legacy('carol')), '--expires', '1d'], {
        env,
      }),
    ]);
    expect(JSON.parse(piped.stdout)).toMatchObject({
      keyId: key.slice(0, 14),
      user: 'alice',
      name: 'old',
    });
    expect(filed).toMatchObject({ code: 0, stdout: '' });
    expect(filed.stderr).toMatch(/^Took over a key of bob as key_\w{10}.\n/);
    expect(filed.stderr).toContain(`.\n${note}`);
    for (const { stderr } of [piped, digested]) expect(stderr).not.toContain(note);
    expect(await keys.verify(legacy('bob'))).toMatchObject({
      apiKey: { user: 'bob', scopes: ['x'] },
    });
    expect(await keys.verify(legacy('carol'))).toMatchObject({ apiKey: { user: 'carol' } });
    expect(digested.code).toBe(0);
    for (const { stdout, stderr } of [piped, filed]) {
      expect(stdout + stderr).not.toContain(key);
      expect(stdout + stderr).not.toContain(legacy('bob'));
    }

    const again = await cli(['import', 'alice'], { env, input: key });
    expect(again).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: this key is in the database already, as ${key.slice(0, 14)}\n`,
    });
  });

  it('a key or digest of another user -> failed, and it is said whose it is, without the key', async () => {
    const first = legacy('first');
    const { keyId } = await keys.import({ user: 'frank', key: first });
    const [piped, digested] = await Promise.all([
      cli(['import', 'grace'], { env, input: first }),
      cli(
        ['import', 'grace', '--digest', digestApiKey(first).toUpperCase().replace('SHA', 'sha')],
        { env },
      ),
    ]);
    expect(piped).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: this key belongs to another user, frank, as ${keyId}: give grace a key of their own\n`,
    });
    expect(digested).toEqual(piped);
    expect(await userOf(first)).toBe('frank');
  });

  it('a key whose key id another key has -> failed, and said so', async () => {
    const { key } = generateApiKey();
    const { keyId } = await keys.import({ user: 'heidi', key });
    await pool.query(
      `update api_keys set digest = 'sha256:' || encode(sha256('other'), 'hex') where key_id = $1`,
      [keyId],
    );
    const { code, stderr } = await cli(['import', 'heidi'], { env, input: key });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error: the key id of this key belongs to another key\n',
    });
  });

  it('a digest in place of the key, on standard input or in a file -> taken for a digest, whatever its case', async () => {
    const cwd = folder({ 'quinn.digest': `${digestApiKey(legacy('quinn'))}\n` });
    const [piped, filed] = await Promise.all([
      cli(['import', 'peggy'], {
        env,
        input: `SHA256:${digestApiKey(legacy('peggy')).slice(7)}\n`,
      }),
      cli(['import', 'quinn', '--key-file', 'quinn.digest'], { env, cwd }),
    ]);
    expect([piped.code, filed.code]).toEqual([0, 0]);
    expect(await userOf(legacy('peggy'))).toBe('peggy');
    expect(await userOf(legacy('quinn'))).toBe('quinn');
  });

  it.each(['sha256:', 'sha256:abc', `SHA256:${'g'.repeat(64)}`, `sha256:${'0'.repeat(65)}`])(
    '%s on standard input -> refused, and nothing is taken over',
    async (input) => {
      const { code, stdout, stderr } = await cli(['import', 'rupert'], { env, input });
      expect({ code, stdout, stderr }).toEqual({
        code: 1,
        stdout: '',
        stderr:
          'error: standard input begins with "sha256:" but is not a digest of 64 hexadecimal digits\n',
      });
      expect(await keys.list({ user: 'rupert' })).toEqual([]);
    },
  );

  it('an option that makes no sense, or no database -> misused before a key is asked for', async () => {
    const [user, database_] = await Promise.all([
      cli(['import', ' '], { env, input: null }),
      cli(['import', 'alice'], { cwd: folder(), input: null }),
    ]);
    expect(user).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: the user must be/) as unknown,
    });
    expect(database_).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: no database is set/) as unknown,
    });
  });

  it('a short key -> taken over, with a warning', async () => {
    const { code, stderr } = await cli(['import', 'dave'], { env, input: 'short' });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Warning: the key is shorter than 32 characters; replace it soon.\n/);
  });

  it('nothing, two lines or an impossible key on standard input -> failed', async () => {
    const cwd = folder({ 'long.key': 'x'.repeat(100_001) });
    const [nothing, two, impossible, missing, long] = await Promise.all([
      cli(['import', 'x'], { env }),
      cli(['import', 'x'], { env, input: 'a\nb\n' }),
      cli(['import', 'x'], { env, input: 'blanks in between' }),
      cli(['import', 'x', '--key-file', 'none.key'], { env, cwd }),
      cli(['import', 'x', '--key-file', 'long.key'], { env, cwd }),
    ]);
    expect(long).toMatchObject({ code: 1, stderr: 'error: long.key is longer than any key\n' });
    expect(nothing).toMatchObject({ code: 1, stderr: 'error: standard input has no key\n' });
    expect(two).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('more than one line') as unknown,
    });
    expect(impossible).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('visible ASCII') as unknown,
    });
    expect(missing).toMatchObject({
      code: 1,
      stderr: 'error: none.key cannot be read: the file does not exist\n',
    });
  });

  it.each([
    [['import']],
    [['import', 'x', '--file', 'f']],
    [['import', '--file', 'f', '--digest', 'd']],
    [['import', 'x', 'a-key-that-stands-in-the-arguments']],
    [['import', 'x', '--digest', 'sha256:abc']],
    [['import', 'x', '--scope', 'a,b']],
  ])('%j -> misused', async (args) => {
    const { code, stdout, stderr } = await cli(args, { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .+\n$/);
    expect(stderr).not.toContain('a-key-that-stands');
  });
});

describe('import --file', () => {
  it('lines, CSV and JSON -> each key under its user; a second run counts duplicates', async () => {
    const cwd = folder({
      'keys.txt': `# partners\n\nerin:${legacy('erin')}\r\nfrank : ${digestApiKey(legacy('frank'))}\n`,
      'keys.csv': `User,Key,Name,Scopes,Expires_At,Metadata\n"gina, of sales",${legacy('gina')},"a ""b""",x y,2099-01-31,"{""n"":1}"\nhugo,${legacy('hugo')},,,,\n`,
      'keys.json': JSON.stringify([
        { user: 'iris', key: legacy('iris'), scopes: ['a'], expiresAt: '2099-01-31T00:00:00Z' },
        { user: 'jack', digest: digestApiKey(legacy('jack')) },
      ]),
    });
    const runs = await Promise.all(
      ['keys.txt', 'keys.csv', 'keys.json'].map((file) =>
        cli(['import', '--file', file], { env, cwd }),
      ),
    );
    for (const each of runs) {
      expect(each).toEqual({
        code: 0,
        stdout: '',
        stderr: `Took over 2 keys; 0 already there.\n${note}`,
      });
    }
    for (const user of ['erin', 'frank', 'hugo', 'iris', 'jack'])
      expect(await userOf(legacy(user))).toBe(user);
    expect(await keys.verify(legacy('gina'))).toMatchObject({
      apiKey: { user: 'gina, of sales', name: 'a "b"', scopes: ['x', 'y'], metadata: { n: 1 } },
    });
    const again = await shell('$CLI import --file - --json < keys.csv', { env, cwd });
    expect(JSON.parse(again.stdout)).toMatchObject({ imported: 0, duplicates: 2, conflicts: [] });
  });

  it('keys of the form of the library alone, digests -> nothing is said of keys from elsewhere', async () => {
    const input = `abel:${generateApiKey().key}\nabel:${digestApiKey(legacy('abel'))}\n`;
    const { stderr } = await cli(['import', '--file', '-'], { env, input });
    expect(stderr).toBe('Took over 2 keys; 0 already there.\n');
  });

  it('a key from elsewhere with --json, alone or in a file -> said on stderr all the same', async () => {
    const [one, many] = await Promise.all([
      cli(['import', 'cain', '--json'], { env, input: legacy('cain-one') }),
      cli(['import', '--file', '-', '--json'], { env, input: `cain:${legacy('cain-many')}` }),
    ]);
    expect(one).toMatchObject({ code: 0, stderr: note });
    expect(many).toMatchObject({ code: 0, stderr: note });
    expect(JSON.parse(many.stdout)).toMatchObject({ imported: 1 });
  });

  it('wrong lines -> each told of by its place, no key printed, nothing taken over', async () => {
    const lines = [
      `kate:${legacy('kate')}`,
      `:${legacy('a')}`,
      legacy('forgotten-user'),
      'lena:',
      'mona:${MONA_KEY}',
      'nina:sha256:abc',
      `olga:${legacy('kate')}`,
      'paul:a b',
    ];
    const csv = `user,key\nrosa,${legacy('rosa')},more\n"sven\n2",${legacy('s')}\ntina,\n`;
    const cwd = folder({
      'keys.txt': lines.join('\n'),
      'keys.csv': csv,
      'open.csv': 'user,key\na,"b',
    });
    const [text, table, open] = await Promise.all(
      ['keys.txt', 'keys.csv', 'open.csv'].map((file) =>
        cli(['import', '--file', file], { env, cwd }),
      ),
    );
    expect(text!.code).toBe(1);
    expect(text!.stderr.split('\n')).toEqual([
      'line 2 has no user',
      'line 3 has no user',
      'line 4 has no key',
      'line 5 has an unresolved reference instead of a key',
      'line 6 begins with "sha256:" but is not a digest of 64 hexadecimal digits',
      'line 7 has the same key as line 1, under another user',
      expect.stringMatching(/^line 8 is refused: "key" must be a key that a header can carry/),
      'error: cannot take over 7 of 8 keys, so took over none: fix the file',
      '',
    ]);
    expect(table!.stderr).toMatch(
      /^line 2 has 3 fields, but the header has 2\nline 3 is refused: "user" .*\nline 5 has no key\n/,
    );
    expect(open!.stderr).toBe(
      'error: line 2: a quote is not closed, or stands inside a field without quotes\n',
    );
    for (const { stdout, stderr } of [text!, table!]) {
      expect(stdout).toBe('');
      expect(stderr).not.toContain('0123456789');
    }
    expect(await userOf(legacy('kate'))).toBeUndefined();
  });

  it('one key, one wrong key, one key of another user -> told of in the singular', async () => {
    await keys.import({ user: 'xena', key: legacy('xena') });
    const [one, wrong, taken] = await Promise.all([
      cli(['import', '--file', '-'], { env, input: `yuri:${legacy('yuri')}` }),
      cli(['import', '--file', '-'], { env, input: 'yuri:' }),
      cli(['import', '--file', '-'], { env, input: `zoe:${legacy('xena')}` }),
    ]);
    expect(one.stderr).toBe(`Took over 1 key; 0 already there.\n${note}`);
    expect(wrong.stderr).toContain(
      'error: cannot take over 1 of 1 key, so took over none: fix the file\n',
    );
    expect(taken.stderr).toContain('error: did not take over 1 key\n');
  });

  it('scopes that are split by commas in CSV -> told of by the line, nothing is taken over', async () => {
    const input = `user,key,scopes\nzack,${legacy('zack')},"a,b"\n`;
    const { code, stderr } = await cli(['import', '--file', '-'], { env, input });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^line 2 has a comma in its scopes: put blanks between them\n/);
    expect(await userOf(legacy('zack'))).toBeUndefined();
  });

  it('a key that another user has already -> told of by its place, the rest is taken over', async () => {
    await keys.import({ user: 'uma', key: legacy('uma') });
    const input = `vera:${legacy('uma')}\nwalt:${legacy('walt')}\n`;
    const { code, stderr } = await cli(['import', '--file', '-'], { env, input });
    expect(code).toBe(1);
    expect(stderr).toContain('line 1 has a key that the database holds under another user\n');
    expect(await userOf(legacy('walt'))).toBe('walt');
    expect(await userOf(legacy('uma'))).toBe('uma');
  });

  it('Ctrl-C in the middle -> exit 130; a second run takes over what is left', async () => {
    const input = Array.from({ length: 200 }, (_, n) => `many:${legacy(`many${n}`)}`).join('\n');
    const holder = await database.client();
    await holder.query('begin; lock table api_keys in share mode');
    const { child, finished } = startCli(['import', '--file', '-'], { env, input });
    await untilBlocked(pool);
    child.kill('SIGINT');
    await holder.query('commit');
    const { code, stderr } = await finished;
    // The signal may arrive after another batch or two; what matters is that the rest is left, and
    // told of.
    const left = Number(
      /^error: stopped with (\d+) keys? left; run it again to continue\n$/.exec(stderr)?.[1],
    );
    expect([code, left > 0 && left < 200]).toEqual([130, true]);
    const again = await cli(['import', '--file', '-', '--json'], { env, input });
    expect(JSON.parse(again.stdout)).toMatchObject({ imported: left, duplicates: 200 - left });
  });
});

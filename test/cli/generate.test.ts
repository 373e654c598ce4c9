import { describe, expect, it } from 'vitest';
import { digestApiKey, parseApiKey } from '../../src/index.js';
import { cli, folder, shell } from '../support/cli.js';

describe('generate', () => {
  it('nothing asked for -> the key alone on stdout, its id and digest on stderr', async () => {
    const { code, stdout, stderr } = await cli(['generate']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^key_[0-9A-Za-z]{48}\n$/);
    const key = stdout.trim();
    expect(stderr).toContain(parseApiKey(key)!.keyId);
    expect(stderr).toContain(digestApiKey(key));
    expect(stderr).not.toContain(key);
  });

  it('--prefix -> the key begins with it', async () => {
    const { stdout } = await cli(['generate', '--prefix', 'acme_live']);
    expect(parseApiKey(stdout.trim())).toMatchObject({ prefix: 'acme_live' });
  });

  it('--env with and without --user -> a line for a .env on stdout, the digest form on stderr', async () => {
    const [single, list] = await Promise.all([
      cli(['generate', '--env', 'INTERNAL_API_KEY']),
      cli(['generate', '--env', 'API_KEYS', '--user', 'alice']),
    ]);
    expect(single.stdout).toMatch(/^INTERNAL_API_KEY=key_\w{48}\n$/);
    const key = list.stdout.trim().replace('API_KEYS=alice:', '');
    expect(parseApiKey(key)).toBeDefined();
    expect(list.stderr).toContain(`\nAPI_KEYS=alice:${digestApiKey(key)}\n`);
  });

  it('--hex and --base64url -> a plain secret of so many bytes', async () => {
    const [hex, base64url] = await Promise.all([
      cli(['generate', '--hex', '32']),
      cli(['generate', '--base64url', '32', '--json']),
    ]);
    expect(hex.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    const answer = JSON.parse(base64url.stdout) as { key: string; digest: string };
    expect(answer.key).toMatch(/^[\w-]{43}$/);
    expect(answer).toEqual({ key: answer.key, digest: digestApiKey(answer.key) });
    expect(base64url.stderr).toBe('');
  });

  it('--json -> the key, its id, its digest and both lines', async () => {
    const { stdout } = await cli(['generate', '--json', '--env', 'X', '--user', 'bob']);
    const { key, keyId, digest, ...lines } = JSON.parse(stdout) as Record<string, string>;
    expect(parseApiKey(key)).toMatchObject({ keyId });
    expect(lines).toEqual({ line: `X=bob:${key}`, digestLine: `X=bob:${digest}` });
  });

  it('--env with a name that the .env here holds already -> a warning how to rotate, without the old value', async () => {
    const old = 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a';
    const cwd = folder({ '.env': `export API_KEYS="alice:${old}"\nEMPTY=\n` });
    const [list, single, json, other, empty] = await Promise.all([
      shell('$CLI generate --env API_KEYS --user alice >> .env', { cwd }),
      cli(['generate', '--env', 'API_KEYS'], { cwd }),
      cli(['generate', '--env', 'API_KEYS', '--json'], { cwd }),
      cli(['generate', '--env', 'OTHER_KEYS'], { cwd }),
      cli(['generate', '--env', 'EMPTY'], { cwd }),
    ]);
    const warning =
      /^Warning: \.env sets API_KEYS already, .* keep one line, API_KEYS=(.+),<old value>, /m;
    expect(warning.exec(list.stderr)?.[1]).toBe('alice:<new key>');
    for (const { code, stderr } of [single, json]) {
      expect(code).toBe(0);
      expect(warning.exec(stderr)?.[1]).toBe('<new key>');
    }
    for (const { stderr } of [other, empty]) expect(stderr).not.toContain('Warning');
    for (const { stdout, stderr } of [list, single, json, other, empty])
      expect(stdout + stderr).not.toContain(old);
  });

  it.each(['>> .env', '--out .env'])(
    'the first line of a .env, %s -> no warning, as nothing stood there before',
    async (target) => {
      const cwd = folder();
      const line = `umask 077; $CLI generate --env API_KEYS --user alice ${target}; cat .env`;
      const { stdout, stderr } = await shell(line, { cwd });
      expect(stdout).toMatch(/^API_KEYS=alice:key_\w{48}\n$/);
      expect(stderr).not.toContain('Warning');
    },
  );

  it('--env with a list that the .env holds for other users -> told to put both on one line, without values', async () => {
    const old = 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a';
    const cwd = folder({ '.env': `API_KEYS=alice:${old},carol:${old.toLowerCase()}\n` });
    const { code, stderr } = await cli(['generate', '--env', 'API_KEYS', '--user', 'bob'], { cwd });
    expect(code).toBe(0);
    expect(/^Warning: .+$/m.exec(stderr)?.[0]).toBe(
      'Warning: .env sets API_KEYS already, and of two lines only the last one counts: put both on one line, API_KEYS=<old value>,bob:<new key>, as --out .env does.',
    );
    expect(stderr).not.toMatch(new RegExp(old, 'i'));
  });

  it('--json to nobody -> failed', async () => {
    const { stderr } = await shell(
      '{ sleep 0.2; $CLI generate --json; echo "exit $?" >&2; } | true',
    );
    expect(stderr).toMatch(/nothing reads it; the key is lost: generate another\nexit 1\n$/);
  });

  it.each([
    [['--hex', '8']],
    [['--hex', '32', '--base64url', '32']],
    [['--hex', '32', '--prefix', 'x']],
    [['--prefix', 'Acme']],
    [['--user', 'alice']],
    [['--env', 'A B']],
    [['--env', 'API_KEYS', '--user', 'a:b']],
    [['--env', 'API_KEYS', '--user', 'a,b']],
    [['--env', 'API_KEYS', '--user', 'a b']],
    [['--env', 'API_KEYS', '--user', 'a#b']],
    [['--env', 'API_KEYS', '--user', 'a"b']],
    [['--env', 'API_KEYS', '--user', "a'b"]],
    [['--env', 'API_KEYS', '--user', 'a`b']],
    [['--env', 'API_KEYS', '--user', 'a$b']],
    [['--env', 'API_KEYS', '--user', 'a\\b']],
  ])('%j -> misused, and no key', async (args) => {
    const { code, stdout, stderr } = await cli(['generate', ...args]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: .+\n$/);
  });
});

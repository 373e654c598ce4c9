import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestApiKey, generateApiKey } from '../../src/index.js';
import { cli, folder, type CliOptions } from '../support/cli.js';

const good = generateApiKey().key;
const other = generateApiKey().key;
const third = generateApiKey().key;

interface Report {
  ok: boolean;
  findings: { severity: string; code: string; message: string; remedy?: string }[];
}

/** What `doctor` finds, without what is no trouble. */
async function findingsOf(options: CliOptions, ...args: string[]): Promise<Report['findings']> {
  const { code, stdout, stderr } = await cli(['doctor', '--json', ...args], options);
  for (const secret of [good, other, third]) expect(stdout + stderr).not.toContain(secret);
  const { ok, findings } = JSON.parse(stdout) as Report;
  const trouble = findings.filter(({ severity }) => severity !== 'note');
  expect({ ok, code, stderr }).toEqual({
    ok: trouble.length === 0,
    code: trouble.length === 0 ? 0 : 1,
    stderr: '',
  });
  for (const { message, remedy } of trouble) {
    expect(message).not.toBe('');
    expect(remedy).toBeTruthy();
  }
  return trouble;
}

const codesOf = async (options: CliOptions, ...args: string[]) =>
  (await findingsOf(options, ...args)).map(({ code }) => code);

/** A folder with this `.env`. */
const withEnv = (text: string) => ({ cwd: folder({ '.env': text }) });

describe('doctor on a set-up without fault', () => {
  it('a key in the environment, one in .env, a list, digests alone in an open file, a ; within a key -> exit 0', async () => {
    const digestsAlone = withEnv(`API_KEYS=alice:${digestApiKey(good)}\n`);
    chmodSync(join(digestsAlone.cwd, '.env'), 0o644);
    const found = await Promise.all([
      codesOf({ cwd: folder(), env: { INTERNAL_API_KEY: good } }),
      codesOf(withEnv(`INTERNAL_API_KEY="${good}" # the new one\n`)),
      codesOf(withEnv(`API_KEYS="\n  alice: ${good},\n  bob:${digestApiKey(other)}\n"\n`)),
      codesOf(digestsAlone),
      codesOf({ cwd: folder(), env: { API_KEYS: 'alice:Zr8kQ1x9Vt3m;Wc7pLs2nBd5yHf4gJk6a' } }),
      codesOf({
        cwd: folder(),
        env: { INTERNAL_API_KEY: '7Zr8kQ1x9Vt3m:Wc7pLs2nBd5yHf4gJk6aZr8kQ1x9' },
      }),
      codesOf({ cwd: folder(), env: { INTERNAL_API_KEY: digestApiKey(good) } }),
    ]);
    expect(found).toEqual([[], [], [], [], [], [], []]);
    const words = await cli(['doctor'], { cwd: folder(), env: { INTERNAL_API_KEY: good } });
    expect(words).toEqual({
      code: 0,
      stdout: 'note     No database was checked: DATABASE_URL is not set.\nNo problems found.\n',
      stderr: '',
    });
  });
});

describe('doctor on variables', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['unset', {}, ['unset_variable']],
    ['empty', { INTERNAL_API_KEY: ' ' }, ['empty_variable']],
    ['quoted', { INTERNAL_API_KEY: `"${good}"` }, ['quoted_variable']],
    ['quoted within a list', { API_KEYS: `alice:${good},bob:'${other}'` }, ['quoted_variable']],
    ['a quoted list', { API_KEYS: `"alice:${good}"` }, ['quoted_variable']],
    ['a quoted pair in a list', { API_KEYS: `"alice:${good}",bob:${other}` }, ['quoted_variable']],
    ['a quoted user in a list', { API_KEYS: `bob:${other},'alice':${good}` }, ['quoted_variable']],
    [
      'a quoted sample',
      { INTERNAL_API_KEY: '"your-api-key-0123456789abcdef-012"' },
      ['quoted_variable', 'sample_key'],
    ],
    ['a list joined by ;', { API_KEYS: `alice:${good};bob:${other}` }, ['broken_list']],
    [
      'a list joined by ; and blanks',
      { API_KEYS: `alice:${good}; bob:${other};` },
      ['broken_list'],
    ],
    [
      'digests joined by ;',
      { API_KEYS: `alice:${digestApiKey(good)};bob:${digestApiKey(other)}` },
      ['broken_list'],
    ],
    ['a list of short keys joined by ;', { API_KEYS: 'alice:k1;bob:k2' }, ['broken_list']],
    ['a new and an old key joined by ;', { INTERNAL_API_KEY: `${good};${other}` }, ['broken_key']],
    ['blank-padded', { INTERNAL_API_KEY: `${good}\r` }, ['padded_variable']],
    ['shorter than 32', { INTERNAL_API_KEY: 'Zr8kQ1x9' }, ['short_key']],
    ['a sample', { INTERNAL_API_KEY: 'your-api-key-goes-here-0123456789abcdef' }, ['sample_key']],
    ['an unresolved reference', { INTERNAL_API_KEY: '${SECRET}' }, ['unresolved_reference']],
    ['an unresolved list', { API_KEYS: '$env://API_KEYS' }, ['unresolved_reference']],
    [
      'a key that no header can carry',
      { INTERNAL_API_KEY: 'two words of a key that is long enough' },
      ['broken_key'],
    ],
    [
      'a variable that no shell has expanded, in a list',
      { API_KEYS: 'alice:$FOO' },
      ['unresolved_reference'],
    ],
    [
      'a list that is nothing but a variable of a shell',
      { API_KEYS: '$FOO' },
      ['unresolved_reference'],
    ],
    [
      'one key that is a variable of a shell',
      { INTERNAL_API_KEY: '$INTERNAL_API_KEY_OF_PRODUCTION' },
      ['unresolved_reference'],
    ],
    [
      'one key that is a variable of Windows',
      { INTERNAL_API_KEY: '%FOO%' },
      ['unresolved_reference'],
    ],
    [
      'one key that is a command of a shell',
      { INTERNAL_API_KEY: '$(cat key)' },
      ['unresolved_reference'],
    ],
    ['a user in front of one key', { INTERNAL_API_KEY: `alice:${good}` }, ['user_with_key']],
    [
      'a user in front of the digest of one key',
      { INTERNAL_API_KEY: `${digestApiKey(other)},alice.b:${digestApiKey(good)}` },
      ['user_with_key'],
    ],
    [
      'a user in front of a key from elsewhere',
      { INTERNAL_API_KEY: 'alice:Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a' },
      ['user_with_key'],
    ],
    ['one key under two users', { API_KEYS: `alice:${good},bob:${good}` }, ['shared_key']],
  ])('%s -> found', async (_what, env, codes) => {
    expect(await codesOf({ cwd: folder(), env })).toEqual(codes);
  });

  it('a user in front of one key -> told where users belong', async () => {
    const env = { INTERNAL_API_KEY: `${other},alice:${good}` };
    expect(await findingsOf({ cwd: folder(), env })).toMatchObject([
      {
        message: 'INTERNAL_API_KEY holds what looks like user:key (entry 2).',
        remedy:
          'users belong in API_KEYS; write the key alone, as the whole value is taken for the key',
      },
    ]);
  });

  it('quotes and ; in a list -> each by its position, with what to write instead', async () => {
    const env = { API_KEYS: `carol:${third},"alice:${good}",bob:${other};dave:${good}` };
    expect(await findingsOf({ cwd: folder(), env })).toMatchObject([
      {
        message: 'API_KEYS has quotes that are part of its value (entry 2).',
        remedy: 'remove them: the server reads them as part of the user or of the key',
      },
      {
        message:
          'API_KEYS has a ; between entries (entry 3), so the rest is read as part of the key.',
        remedy: 'write a comma instead of each ;',
      },
    ]);
  });

  it('a variable that no shell has expanded beside a sample -> each is called what it is', async () => {
    const env = {
      API_KEYS: `alice:$FOO,bob:your-api-key-goes-here-0123456789abcdef,carol:${good}`,
    };
    const findings = await findingsOf({ cwd: folder(), env });
    expect(findings.map(({ message }) => message)).toEqual([
      'API_KEYS holds what looks like a variable that was not expanded (entry 1).',
      'API_KEYS holds a key that looks like a sample from documentation (entry 2).',
    ]);
  });

  it('a list with several errors -> each by its position', async () => {
    const env = { API_KEYS: `alice:${good},:x,bob:,${other},carol:sha256:12,dave:short` };
    const findings = await findingsOf({ cwd: folder(), env });
    expect(findings.map(({ message }) => message)).toEqual([
      'API_KEYS is not used: entry 2 has no user, or one with control characters.',
      'API_KEYS is not used: entry 3 has no key.',
      'API_KEYS is not used: entry 4 has no user, or one with control characters.',
      'API_KEYS is not used: entry 5 begins with "sha256:" but is not a digest of 64 hexadecimal digits.',
      'API_KEYS holds a key that is shorter than 32 characters (entry 6).',
    ]);
  });

  it('variables by other names -> those are looked at, and each has to be set', async () => {
    const env = { INTERNAL_API_KEY: 'short', METRICS_KEY: 'short', PARTNER_KEYS: 'alice' };
    const args = [
      '--variable',
      'METRICS_KEY',
      '--variable',
      'JOBS_KEY',
      '--list-variable',
      'PARTNER_KEYS',
    ];
    const findings = await findingsOf({ cwd: folder(), env }, ...args);
    expect(findings.map(({ code, message }) => [code, message.split(' ')[0]])).toEqual([
      ['unset_variable', 'JOBS_KEY'],
      ['short_key', 'METRICS_KEY'],
      ['broken_list', 'PARTNER_KEYS'],
    ]);
  });
});

describe('doctor on a key under another name', () => {
  const isRead = (name: string, meant: string) =>
    `${name} is set, but the library reads ${meant}: rename it`;

  const values = {
    'one key': good,
    'a digest': digestApiKey(good),
    pairs: `alice:${good},bob:${digestApiKey(other)}`,
  };

  it.each<[string, keyof typeof values, string]>([
    ['INTERNAL_API_KEYS', 'one key', 'INTERNAL_API_KEY'],
    ['INTERNAL_APIKEY', 'one key', 'INTERNAL_API_KEY'],
    ['INTERNAL_API_KYE', 'one key', 'INTERNAL_API_KEY'],
    ['internal_api_key', 'one key', 'INTERNAL_API_KEY'],
    ['API_KEY', 'one key', 'INTERNAL_API_KEY'],
    ['X_API_KEY', 'a digest', 'INTERNAL_API_KEY'],
    ['API_KEY', 'pairs', 'API_KEYS'],
    ['INTERNAL_API_KEYS', 'pairs', 'API_KEYS'],
    ['APIKEYS', 'pairs', 'API_KEYS'],
  ])(
    '%s holds %s, in the environment or in .env -> told that %s is read',
    async (name, form, meant) => {
      const value = values[form];
      const found = await Promise.all([
        findingsOf({ cwd: folder(), env: { [name]: value } }),
        findingsOf(withEnv(`${name}=${value}\n`)),
      ]);
      for (const findings of found)
        expect(findings).toMatchObject([{ code: 'unset_variable', remedy: isRead(name, meant) }]);
    },
  );

  it('keys of other services, a name that is set to nothing -> not taken for it', async () => {
    const env = { OPENAI_API_KEY: good, APP_KEY: good, SECRET_KEY: good, KEY: good, API_KEY: ' ' };
    expect(await findingsOf({ cwd: folder(), env })).toMatchObject([
      { remedy: 'npx require-api-key generate --env INTERNAL_API_KEY --out .env' },
    ]);
  });

  it('a list of another name -> the nearest to it; a variable that is asked for too is none', async () => {
    const args = [
      '--variable',
      'JOBS_KEY_A',
      '--variable',
      'JOBS_KEY_B',
      '--list-variable',
      'PARTNER_KEYS',
    ];
    const env = { JOBS_KEY_A: good, PARTNERS_KEYS: other };
    const [finding] = await findingsOf({ cwd: folder(), env }, ...args);
    expect(finding).toMatchObject({
      code: 'unset_variable',
      remedy: isRead('PARTNERS_KEYS', 'PARTNER_KEYS'),
    });
  });

  it('a list by another name that is not set -> made with a user', async () => {
    expect(await findingsOf({ cwd: folder() }, '--list-variable', 'PARTNER_KEYS')).toMatchObject([
      { remedy: 'npx require-api-key generate --env PARTNER_KEYS --user <user> --out .env' },
    ]);
  });
});

describe('doctor on the .env', () => {
  it.each<[string, string, string[]]>([
    ['blanks around a value', `INTERNAL_API_KEY = ${good}\n`, ['padded_variable']],
    ['blanks within quotes', `INTERNAL_API_KEY="${good} "\n`, ['padded_variable']],
    ['a quote that is not closed', `INTERNAL_API_KEY="${good}\n`, ['quoted_variable']],
    ['a # in a value', `INTERNAL_API_KEY=${good}#more\n`, ['truncated_variable']],
    [
      'a variable twice',
      `INTERNAL_API_KEY=${other}\nINTERNAL_API_KEY=${good}\n`,
      ['repeated_variable'],
    ],
  ])('%s -> found', async (_what, text, codes) => {
    expect(await codesOf(withEnv(text))).toEqual(codes);
  });

  it.each<[string, string, number, string, string]>([
    ['bare', `PORT=3000INTERNAL_API_KEY=${good}\n`, 1, 'PORT', 'INTERNAL_API_KEY'],
    ['behind quotes', `A=1\r\nexport B="x"API_KEYS=alice:${good}\r\n`, 2, 'B', 'API_KEYS'],
    ['behind a blank', `A=1\nB=x INTERNAL_API_KEY=${good}`, 2, 'B', 'INTERNAL_API_KEY'],
  ])(
    'a key on the line of another variable, %s -> found by line and name, and how to mend it',
    async (_how, text, line, inside, name) => {
      const findings = await findingsOf(withEnv(text));
      expect(findings.map(({ code }) => code)).toEqual(['joined_lines', 'unset_variable']);
      expect(findings).toMatchObject([
        {
          message: `line ${line} of .env holds ${name}= inside the value of ${inside}: a line break is missing.`,
          remedy: `put ${name}= on a line of its own`,
        },
        { remedy: 'fix the line of .env that is named above' },
      ]);
    },
  );

  it('two keys on one line -> the second is found', async () => {
    const findings = await findingsOf(withEnv(`API_KEYS=alice:${good}INTERNAL_API_KEY=${other}\n`));
    expect(findings[0]).toMatchObject({
      code: 'joined_lines',
      message:
        'line 1 of .env holds INTERNAL_API_KEY= inside the value of API_KEYS: a line break is missing.',
    });
  });

  it('the name of a variable in a comment, in quotes, in an address or as the end of a longer name -> well', async () => {
    const lines = [
      `INTERNAL_API_KEY=${good}`,
      'A=1 # API_KEYS=alice:k',
      'B="API_KEYS=alice:k npm start"',
      'C=https://host/?API_KEYS=1&API_KEYS=2',
      'D=3MY_API_KEYS=1',
      'E=API_KEYS=1',
      '# F=1API_KEYS=1',
    ];
    expect(await codesOf(withEnv(lines.join('\n')))).toEqual([]);
  });

  it('another value in the environment -> found', async () => {
    const options = { ...withEnv(`INTERNAL_API_KEY=${good}\n`), env: { INTERNAL_API_KEY: other } };
    expect(await codesOf(options)).toEqual(['overridden_variable']);
  });

  it('open to others -> found, with the command that closes it', async () => {
    const { cwd } = withEnv(`INTERNAL_API_KEY=${good}\n`);
    chmodSync(join(cwd, '.env'), 0o644);
    expect(await findingsOf({ cwd })).toMatchObject([
      { code: 'open_env_file', remedy: 'chmod 600 .env' },
    ]);
  });

  it('not ignored by git, then tracked, then ignored -> found, found, and well', async () => {
    const { cwd } = withEnv(`INTERNAL_API_KEY=${good}\n`);
    const git = (...args: string[]) => execFileSync('git', args, { cwd, stdio: 'ignore' });
    git('init');
    expect(await codesOf({ cwd })).toEqual(['unignored_env_file']);
    git('add', '.env');
    expect(await codesOf({ cwd })).toEqual(['tracked_env_file']);
    git('rm', '--cached', '.env');
    writeFileSync(join(cwd, '.gitignore'), '.env\n');
    expect(await codesOf({ cwd })).toEqual([]);
  });
});

describe('doctor in a folder of somebody else', () => {
  it('variables in its .env and commands in its .git/config that make git run or write something -> nothing is', async () => {
    const cwd = folder();
    execFileSync('git', ['init'], { cwd, stdio: 'ignore' });
    writeFileSync(join(cwd, 'monitor.sh'), `#!/bin/sh\ntouch '${cwd}/ran-by-config'\n`, {
      mode: 0o700,
    });
    execFileSync('git', ['config', 'core.fsmonitor', './monitor.sh'], { cwd });
    const lines = [
      `INTERNAL_API_KEY=${good}`,
      `GIT_TRACE=${cwd}/written-by-trace`,
      'GIT_CONFIG_COUNT=1',
      'GIT_CONFIG_KEY_0=core.fsmonitor',
      `GIT_CONFIG_VALUE_0=touch ${cwd}/ran-by-variable; false`,
    ];
    writeFileSync(join(cwd, '.env'), lines.join('\n'), { mode: 0o600 });
    expect(await codesOf({ cwd })).toEqual(['unignored_env_file']);
    expect(readdirSync(cwd).toSorted()).toEqual(['.env', '.git', 'monitor.sh']);
  });

  it('keys in its .env under other names, PGHOST and PGPORT -> taken over, where the environment has none', async () => {
    const cwd = folder({
      '.env': `METRICS_KEY=short\nJOBS_KEY=short\nDATABASE_URL=postgres:///app\nPGHOST=127.0.0.1\nPGPORT=1\n`,
    });
    const args = ['--variable', 'METRICS_KEY', '--variable', 'JOBS_KEY'];
    const findings = await findingsOf({ cwd, env: { JOBS_KEY: good } }, ...args);
    expect(findings.map(({ code }) => code)).toEqual([
      'short_key',
      'overridden_variable',
      'unreachable_database',
    ]);
    expect(findings[2]!.message).toContain('the connection was refused');
  });

  it('a line of many blanks -> read in no time', async () => {
    const { cwd } = withEnv(`INTERNAL_API_KEY=${good}${' '.repeat(100_000)}# the old one\n`);
    const start = performance.now();
    expect(await codesOf({ cwd })).toEqual([]);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

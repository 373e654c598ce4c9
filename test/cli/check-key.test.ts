import { describe, expect, it } from 'vitest';
import { requireApiKey } from '../../src/index.js';
import { guard, guarded, key } from '../support/checked-server.js';
import { cli, folder } from '../support/cli.js';

interface Report {
  readonly calls: readonly { call: string; status: number }[];
  readonly findings: readonly {
    severity: string;
    code: string;
    message: string;
    remedy?: string;
  }[];
}

/** What the command says of a server when this is on standard input; never what may be a key. */
async function checkWith(url: string, input: string, ...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await cli(['check', url, '--json', ...args], { input });
  const secret = input
    .replaceAll(/[^\w]+/g, ' ')
    .split(' ')
    .toSorted((a, b) => b.length - a.length)[0]!;
  expect(stdout + stderr).not.toContain(secret);
  const report = JSON.parse(stdout) as Report;
  const trouble = report.findings.filter(({ severity }) => severity !== 'note');
  expect(code).toBe(trouble.length === 0 ? 0 : 1);
  return { ...report, findings: trouble };
}

const last = key.at(-1) === 'A' ? 'B' : 'A';

describe('check with a key that looks wrong', () => {
  it.each<[string, string, string, string, string]>([
    [
      'in double quotes',
      `"${key}"`,
      'quoted_key',
      'is in quotes, which are sent as a part of it',
      'remove the quotes',
    ],
    ['in single quotes', `'${key}'\n`, 'quoted_key', 'is in quotes', 'remove the quotes'],
    [
      'cut off',
      key.slice(0, -5),
      'mistyped_key',
      'looks like one of this library, but its checksum does not fit: it is cut off or mistyped',
      'copy it again, from its first to its last character',
    ],
    [
      'mistyped',
      key.slice(0, -1) + last,
      'mistyped_key',
      'its checksum does not fit',
      'copy it again',
    ],
    [
      'a header line',
      `X-API-Key: ${key}`,
      'header_line',
      'is a whole header line',
      'keep only what is behind its colon',
    ],
    [
      'a header line without a blank',
      `x-api-key:${key}`,
      'header_line',
      'is a whole header line',
      'keep only what is behind its colon',
    ],
    [
      'a header line with a scheme',
      `Authorization: Bearer ${key}`,
      'header_line',
      'is a whole header line',
      'keep only what is behind the word Bearer',
    ],
    [
      'behind Bearer',
      `Bearer ${key}`,
      'header_line',
      'has the word Bearer in front of it',
      'keep only what is behind it; if the server expects the word, give --scheme Bearer',
    ],
    [
      'a line of a .env',
      `INTERNAL_API_KEY=${key}`,
      'more_than_key',
      'has other text around it, as in NAME=<key> or user:<key>',
      'give the key alone',
    ],
    ['a pair', `alice:${key}`, 'more_than_key', 'has other text around it', 'give the key alone'],
  ])('%s -> said what it is, and never the key', async (_what, input, code, message, remedy) => {
    const server = await guarded(guard());
    const { findings } = await checkWith(server.url, input);
    expect(findings).toMatchObject([{ severity: 'error', code }]);
    expect(findings[0]!.message).toMatch(/^Your key .+\.$/);
    expect(findings[0]!.message).toContain(message);
    expect(findings[0]!.remedy).toContain(remedy);
  });

  it('the header or the scheme of this server in front of it -> the same', async () => {
    const server = await guarded(guard({ header: 'Key', scheme: 'Token' }));
    const args = ['--header', 'Key', '--scheme', 'Token'];
    const reports = await Promise.all([
      checkWith(server.url, `key: ${key}`, ...args),
      checkWith(server.url, `token ${key}`, ...args),
    ]);
    expect(reports.map(({ findings }) => findings.map(({ code }) => code))).toEqual([
      ['header_line'],
      ['header_line'],
    ]);
  });

  it('one that the server knows all the same -> nothing is said of it', async () => {
    for (const odd of [`"${key}"`, key.slice(0, -5), 'x-key:Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a']) {
      const server = await guarded(
        guard({ source: (presented) => (presented === odd ? 'alice' : undefined) }),
      );
      const { calls, findings } = await checkWith(server.url, odd);
      expect(findings).toEqual([]);
      expect(calls).toContainEqual({ call: 'with your key', status: 200 });
    }
  });

  it('one that is not sent, as the way is open to all -> said all the same', async () => {
    const server = await guarded(guard());
    const { findings } = await checkWith(`http://0.0.0.0:${server.port}/hello`, `"${key}"`);
    expect(findings.map(({ code }) => code)).toEqual(['plain_http', 'quoted_key']);
    expect(server.sawKey()).toBe(false);
  });

  it('one from elsewhere, one with a blank -> what was said before', async () => {
    const server = await guarded(guard());
    const [unknown, impossible] = await Promise.all([
      checkWith(server.url, 'Zr8kQ1x9Vt3mWc7pLs2nBd5yHf4gJk6a'),
      checkWith(server.url, 'correct horse battery staple'),
    ]);
    expect(unknown.findings).toMatchObject([{ code: 'unknown_key' }]);
    expect(impossible.findings).toMatchObject([{ code: 'impossible_key' }]);
  });

  it('a file of "generate --env --out" in place of a key file -> said', async () => {
    const server = await guarded(guard());
    const cwd = folder();
    await cli(['generate', '--env', 'INTERNAL_API_KEY', '--out', '.env'], { cwd });
    const { stdout } = await cli(['check', server.url, '--json', '--key-file', '.env'], { cwd });
    expect((JSON.parse(stdout) as Report).findings[0]).toMatchObject({ code: 'more_than_key' });
  });
});

describe('check with a key that lacks a scope', () => {
  it.each([
    [['audio:write'], 'it needs audio:write.', 'use a key with that scope', '--scope audio:write'],
    [
      ['a', 'b;touch'],
      'it needs a b;touch.',
      'use a key with these scopes',
      "--scope a --scope 'b;touch'",
    ],
  ])(
    '%j -> the scopes are named as the server names them, also in the line to paste',
    async (scopes, needs, use, options) => {
      const plainly = await guarded(requireApiKey({ source: () => undefined, scopes }), guard());
      expect((await checkWith(plainly.url, key)).findings).toMatchObject([{ code: 'unknown_key' }]);
      const servers = await Promise.all([
        guarded(guard({ scopes })),
        guarded(guard({ scopes, header: 'Authorization', scheme: 'Bearer' })),
      ]);
      const [detailed, challenged] = await Promise.all([
        checkWith(servers[0].url, key),
        checkWith(servers[1].url, key, '--header', 'Authorization', '--scheme', 'Bearer'),
      ]);
      for (const { findings } of [detailed, challenged]) {
        expect(findings).toMatchObject([
          { code: 'scope_missing', remedy: `${use}: npx require-api-key create <user> ${options}` },
        ]);
        expect(findings[0]!.message).toContain(needs);
      }
    },
  );

  it('a 403 that names none, or what a line cannot hold -> the place for it', async () => {
    const answers = [
      'Forbidden.',
      'It lacks a scope it needs here: a\u001b[31m.',
      `It lacks a scope it needs here: ${'x'.repeat(300)}.`,
    ];
    for (const detail of answers) {
      const server = await guarded(guard(), (_req, res) => {
        res
          .status(403)
          .type('application/problem+json')
          .send(JSON.stringify({ code: 'insufficient_scope', detail }));
      });
      const { findings } = await checkWith(server.url, key);
      expect(findings).toMatchObject([
        { remedy: 'use a key with that scope: npx require-api-key create <user> --scope <scope>' },
      ]);
    }
  });
});

describe('check of an address that the app does not have', () => {
  it.each([
    [404, 'The guard took the key, but the app has nothing at this address.'],
    [405, 'The guard took the key, but the app does not take GET at this address.'],
  ])('behind a guard that takes the key, %i -> a note, and not "works"', async (status, said) => {
    const server = await guarded(guard(), (_req, res) => void res.status(status).end());
    const { code, stdout } = await cli(['check', server.url], { input: key });
    expect(code).toBe(0);
    expect(stdout).toContain(`note     ${said}\n         -> check the path; if it is no GET route`);
    expect(stdout).not.toContain('The key works');
    const report = JSON.parse(
      (await cli(['check', server.url, '--json'], { input: key })).stdout,
    ) as { ok: boolean; findings: object[] };
    expect(report.ok).toBe(true);
    expect(report.findings[0]).toMatchObject({ severity: 'note', code: 'not_found' });
  });

  it('404 to every key -> not said to be taken', async () => {
    const server = await guarded((req, res) => {
      res.status(req.get('X-API-Key') === undefined ? 401 : 404).end();
    });
    const { stdout } = await cli(['check', server.url], { input: key });
    expect(stdout).toContain('note     The server answers 404 to your key and to a wrong one.\n');
    expect(stdout).not.toMatch(/took the key|The key works/);
  });
});

describe('check without an origin', () => {
  it('a blocked preflight -> one note without a remedy; where pages may call -> none', async () => {
    const server = await guarded(guard());
    const { stdout } = await cli(['check', server.url], { input: key });
    expect(stdout.split('\n').slice(4)).toEqual([
      'note     Web pages of other origins cannot call it, or not all; if one must, check with --origin <origin>.',
      'The key works here.',
      '',
    ]);
  });
});

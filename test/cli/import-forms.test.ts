import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/cli/values/instant.js';
import { ApiKeyManager, digestApiKey, generateApiKey } from '../../src/index.js';
import { PostgresKeyStore } from '../../src/postgres.js';
import { cli, folder } from '../support/cli.js';
import { readFile } from '../support/import-file.js';
import { createDatabase } from '../support/postgres.js';

const database = await createDatabase();
const env = { DATABASE_URL: database.url };
const store = new PostgresKeyStore({ client: database.pool() });
await store.migrate();
const keys = new ApiKeyManager({ store });

const alice = 's3cret-alice-0001-abcdefgh-0123456789';
const bob = 's3cret-bob-0002-abcdefgh-0123456789';
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const utf16 = (text: string) => Buffer.from(text, 'utf16le');

/** Nothing is taken over, the line and the reason are named, and no part of a key is said. */
function expectRefusal(file: string | Buffer, why: RegExp, format?: 'csv' | 'pairs' | 'json') {
  const { taken, said } = readFile(file, format);
  expect(taken).toEqual([]);
  expect(said.join('\n')).toMatch(why);
  expect(said.join('\n')).not.toMatch(/s3cret|0001-abc|0002-abc/);
}

const psqlCsv = `alice,${alice},2026-01-05 12:34:56+00\nbob,${bob},2026-02-07 13:07:41+00\n`;

describe('a file whose form is not certain', () => {
  it.each<[string, string, RegExp]>([
    ['CSV without a header', psqlCsv, /^line 1 has "," in it but is not a header/],
    ['two columns without a header', `alice,${alice}\n`, /^line 1 has ","/],
    [
      'a mail address and a URL in columns',
      `a@x.org,${alice},https://x.org/a\n`,
      /^line 1 has ","/,
    ],
    ['semicolons', `alice;${alice};31.01.2027 12:34\n`, /^line 1 has ";" in it/],
    ['tabs', `alice\t${alice}\t2026-01-05 12:34:56+00\n`, /^line 1 has tabs in it/],
    ['bars', `alice | ${alice} | 12:34\n`, /^line 1 has "\|" in it/],
    ['a header with semicolons', `User;Key\nalice;${alice}\n`, /^line 1 is a header with ";"/],
    ['a header with tabs', `"user"\t"key"\n`, /^line 1 is a header with tabs/],
    ['sep=;', `sep=;\nuser;key\nalice;${alice}\n`, /^line 1 names a separator/],
    ['sep=, in quotes', `"sep=,"\nuser,key\nalice,${alice}\n`, /^line 1 names a separator/],
    ['a comment above the header', `# all\nuser,key\nalice,${alice}\n`, /^line 2 is a CSV header/],
    ['a title above the header', `Keys\n\nuser,key\nalice,${alice}\n`, /^line 3 is a CSV header/],
    ['a header behind a #', `#user,key\nalice,${alice}\n`, /^line 1 is a header behind a "#"/],
    ['other columns', `user_name,api_key\nalice,${alice}\n`, /^line 1 has "," in it but is not/],
    [
      'an unknown column',
      `user,key,created_at\nalice,${alice},x\n`,
      /^line 1: column 3 is unknown/,
    ],
    ['a column with no name', `user,key,\nalice,${alice},\n`, /^line 1: column 3 is unknown/],
    ['numbered columns', `user,key1,key2\nalice,${alice},${bob}\n`, /is not a header/],
    ['a column twice', `user,key,KEY\nalice,${alice},${bob}\n`, /^line 1: columns 2 and 3/],
    ['0 bytes', '', /^the file is empty$/],
    ['blank lines', '\r\n \n', /^the file is empty$/],
    ['comments only', '# nothing\n', /^there is no key in the file$/],
    ['a header only', 'user,key\n', /^there is no key in the file$/],
    ['an empty array', '[]', /^there is no key in the file$/],
    ['an object', `{"alice":"${alice}"}`, /^the file is not a JSON array/],
    ['JSON lines', `{"user":"a","key":"${alice}"}\n{"user":"b"}`, /^the file is not a JSON array/],
    ['JSON with an end cut off', `[{"user":"a","key":"${alice}"`, /^the file is not a JSON array/],
    ['JSON and more', `[{"user":"a","key":"${alice}"}]\n${bob}`, /line 2 cannot be read$/],
  ])('%s -> refused with the line and the reason', (_what, text, why) => expectRefusal(text, why));

  it.each<[string, string, RegExp]>([
    ['a short key', 'alice:0123456789abcde', /^line 1 has a key shorter than 16 characters: if it/],
    ['two colons', `team:alice:${alice}`, /^line 1 has more than one colon/],
    ['an environment file', `API_KEYS=alice:${alice}`, /^line 1 has "=" or a bracket in its user/],
    ['a separator in the key', `alice:${alice};`, /^line 1 has ";" in it/],
  ])('%s -> refused, unless pairs are asked for', (_what, text, why) => {
    expectRefusal(text, why);
    expect(readFile(text, 'pairs')).toMatchObject({ taken: [{}], said: [] });
  });

  it.each<[string, string, RegExp]>([
    ['CSV', psqlCsv, /^line 1 has a comma, .* write CSV with a header instead\nline 2 /],
    ['one line of CSV among pairs', `bob:${bob}\n${psqlCsv}`, /^line 2 has a comma/],
    ['semicolons', `alice;${alice};31.01.2027 12:34`, /^line 1 has a comma, another separator/],
    ['a time first', `2026-01-05 12:34:56+00 alice ${alice}`, /^line 1 is refused: "key"/],
    ['a time in the user', `2026-01-05T12:${alice}`, /^line 1 has a time in its user/],
    ['a time as the key', 'alice:34:56+00', /^line 1 has a time in place of its key/],
    ['an address', `https://x.org/${alice}`, /^line 1 is an address/],
    ['an address as the key', `alice:https://x.org/${alice}`, /^line 1 has an address in place/],
    ['a mail address as the key', 'alice:alice@mail.example.org', /^line 1 has a mail address/],
    ['quotes', `"alice":"${alice}"`, /^line 1 has a comma, another separator or a quote/],
    ['a quoted key', `alice: "${alice}"`, /^line 1 has quotes around its key: delete them/],
    ['a comma behind', `alice:${alice},`, /^line 1 is refused: "key"/],
    ['a header', `user:key\nalice:${alice}`, /^line 1 is a header/],
    ['a digest without a user', digestApiKey(alice), /^line 1 has no user: "sha256:"/],
    [
      'the user behind the key',
      `${generateApiKey().key}:${alice}`,
      /^line 1 has a key or a digest in its user/,
    ],
    [
      'htpasswd',
      'alice:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT',
      /^line 1 has a password hash/,
    ],
    ['no colon', `alice ${alice}`, /^line 1 has no user/],
  ])('pairs that are asked for, with %s -> refused', (_what, text, why) =>
    expectRefusal(text, why, 'pairs'),
  );

  it.each<['csv' | 'pairs' | 'json', string, RegExp]>([
    ['csv', psqlCsv, /^line 1 is not a header that names user, and key or digest: write one/],
    ['csv', `alice:${alice}`, /^line 1 is not a header/],
    ['csv', `user;key\nalice;${alice}`, /^line 1 is a header with ";"/],
    ['csv', `# x\nuser,key\nalice,${alice}`, /^line 1 is a comment/],
    ['json', psqlCsv, /^the file is not a JSON array/],
    ['pairs', `[{"user":"a","key":"${alice}"}]`, /^line 1 /],
  ])('--format %s and another form -> refused', (format, text, why) =>
    expectRefusal(text, why, format),
  );
});

describe('one bad line in a file whose form is certain', () => {
  const hash = '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b27d';
  it.each<[string, string, RegExp]>([
    ['too many fields', `user,key\nalice,${alice},x`, /^line 2 has 3 fields, but the header has 2/],
    ['too few fields', `user,key,name\nalice,${alice}`, /^line 2 has 2 fields/],
    ['a disabled line', `user,key\n#alice,${alice}`, /^line 2 begins with "#"/],
    ['the header again', `user,key\nalice,${alice}\nuser,key`, /^line 3 is the header again/],
    ['the footer of psql', `user,key\nalice,${alice}\n(1 row)`, /^line 3 has 1 field/],
    ['NULL', `user,key,name\nalice,${alice},NULL`, /^line 2 has NULL in a field/],
    ['\\N', 'user,key\nalice,\\N', /^line 2 has NULL in a field/],
    [
      'columns mixed up',
      `user,key\n2026-01-05 12:34:56+00,${alice}`,
      /^line 2 has a time in place/,
    ],
    [
      'a time as key',
      'user,key\nalice,2026-01-05T12:34:56Z',
      /^line 2 has a time in place of its key/,
    ],
    ['infinity as key', 'user,key\nalice,infinity', /^line 2 has a time in place of its key/],
    ['a URL as key', 'user,key\nalice,https://x.org/s3cret', /^line 2 has an address in place/],
    ['a shortened number', 'user,key\nalice,1.23457E+15', /^line 2 has a number in place/],
    ['bytea', `user,key\nalice,\\x${'ab'.repeat(32)}`, /^line 2 has bytes in place of its key/],
    ['a password hash', `user,key\nalice,"${hash}"`, /^line 2 has a password hash/],
    ['Django hash', 'user,key\nalice,pbkdf2_sha256$600000$s$h', /^line 2 has a password hash/],
    ['MD5', `user,key\nalice,md5:${'ab'.repeat(16)}`, /^line 2 has a password hash/],
    ['half a digest', 'user,digest\nalice,sha256:ab', /^line 2 begins with "sha256:" but/],
    ['a digest without its tag', `user,digest\nalice,${'ab'.repeat(32)}`, /^line 2 is refused/],
    ['user sha256', `user,key\nsha256,${alice}`, /^line 2 has no user: "sha256:" begins a digest/],
    [
      'a key as the user',
      `user,key\n${generateApiKey().key},${alice}`,
      /^line 2 has a key or a digest in/,
    ],
    ['its key in the name', `user,key,name\nalice,${alice},for ${alice}`, /^line 2 has its key in/],
    [
      'the key of another line as user',
      `user,key\nalice,${alice}\n${alice},${bob}`,
      /^line 3 has a key of/,
    ],
    [
      'one key, two users',
      `user,key\nalice,${alice}\nbob,${alice}`,
      /^line 3 has the same key as line 2, under/,
    ],
    [
      'one key, two ends',
      `user,key,expires_at\na,${alice},\na,${alice},2099-01-01`,
      /^line 3 has the same key as line 2, with other values/,
    ],
    ['an invisible character', `user,key\nal\u200bice,${alice}`, /^line 2 has an invisible/],
    ['blanks around the user', `user,key\n" alice",${alice}`, /^line 2 has blanks around/],
    [
      'metadata that is no JSON',
      `user,key,metadata\nalice,${alice},x`,
      /^line 2 is refused: "metadata"/,
    ],
    ['an array of PostgreSQL', `user,key,scopes\nalice,${alice},{read}`, /^line 2 has brackets/],
    [
      'an end in another form',
      `user,key,expires_at\nalice,${alice},31.01.2027`,
      /^line 2 has an expiry/,
    ],
    [
      'an end before all times',
      `user,key,expires_at\nalice,${alice},-infinity`,
      /^line 2 has an expiry/,
    ],
    [
      'a key given twice in JSON',
      `[{"user":"a","key":"${alice}","k\\u0065y":"${bob}"}]`,
      /^entry 1 has a name twice$/,
    ],
    [
      'two ends in JSON',
      `[{"user":"a","key":"${alice}","expiresAt":null,"expires_at":5}]`,
      /^entry 1 has an expiry/,
    ],
    ['an array in JSON', `[["a","${alice}"]]`, /^entry 1 is not an object/],
  ])('%s -> refused whole', (_what, text, why) => expectRefusal(text, why));
});

describe('a file whose form is certain', () => {
  const both = [
    { user: 'alice', key: alice },
    { user: 'bob', key: bob },
  ];
  it.each<[string, string | Buffer]>([
    ['a header in capitals and quotes', `"USER","Key"\n"alice","${alice}"\nbob,${bob}`],
    ['columns the other way round', `key, user\n${alice}, alice\n${bob}, bob\n`],
    ['line ends of CR alone', `user,key\ralice,${alice}\rbob,${bob}\r`],
    ['pairs with CR alone', `alice:${alice}\rbob:${bob}\r`],
    ['a byte order mark', `\uFEFFuser,key\r\nalice,${alice}\r\nbob,${bob}\r\n`],
    ['pairs with a byte order mark', `\uFEFFalice:${alice}\nbob:${bob}`],
    ['blank lines', `\n\nuser,key\n\nalice,${alice}\n\nbob,${bob}\n\n`],
    ['the same line twice', `user,key\nalice,${alice}\nbob,${bob}\nalice,${alice}`],
    ['JSON', JSON.stringify(both)],
    [
      'JSON with null for what is absent',
      JSON.stringify(both.map((each) => ({ ...each, name: null, expires_at: null }))),
    ],
  ])('%s -> both keys under their users', (_what, file) => {
    const { taken, said } = readFile(file);
    expect(said).toEqual([]);
    expect(taken.slice(0, 2)).toMatchObject(both);
  });

  it('names beyond ASCII, mail addresses and addresses as users -> taken as they are', () => {
    const users = ['José', '名前 🙂', 'alice@example.com', 'https://partner.example'];
    const csv = `user,key\n${users.map((user, n) => `${user},${alice}${n}\n`).join('')}`;
    expect(readFile(csv).taken.map(({ user }) => user)).toEqual(users);
    expect(readFile(`a@x.org:${alice}`).taken).toMatchObject([{ user: 'a@x.org', key: alice }]);
  });

  it('digests, in pairs and in either column -> taken for digests', () => {
    const digest = digestApiKey(alice);
    for (const text of [`a:${digest}`, `user,key\na,${digest}`, `user,digest\na,${digest}`])
      expect(readFile(text)).toMatchObject({ taken: [{ user: 'a' }], said: [] });
  });

  it('ends as PostgreSQL writes them -> understood; infinity and never are no end', () => {
    const ends = [
      '2027-03-01 00:00:00+00',
      '2027-03-01 05:30:00.123456+05:30',
      'infinity',
      'never',
      '',
    ];
    const csv = `user,key,expires_at\n${ends.map((end, n) => `a,${alice}${n},${end}\n`).join('')}`;
    expect(readFile(csv).taken.map(({ expiresAt }) => expiresAt)).toEqual([
      new Date('2027-03-01T00:00:00Z'),
      new Date('2027-03-01T00:00:00.123Z'),
      undefined,
      undefined,
      undefined,
    ]);
    expect(parseInstant('2027-03-01 00:00:00-0330')).toEqual(new Date('2027-03-01T03:30:00Z'));
    expect(parseInstant('0044-03-15 00:00:00+00 BC')).toBeUndefined();
    expect(parseInstant('2027-03-01 00:00:00+00:19:32')).toBeUndefined();
  });
});

describe('bytes that are not UTF-8', () => {
  it.each<[string, Buffer, RegExp]>([
    [
      'Windows-1252',
      latin1(`user,key\nJos\u00e9,${alice}\n`),
      /^line 2 of keys.csv is not UTF-8 text: save it as UTF-8; if it is Windows-1252, iconv/,
    ],
    ['Windows-1252 with CR alone', latin1(`user,key\rJos\u00e9,${alice}\r`), /^line 2 of/],
    ['Windows-1252 in the last byte', latin1(`alice:${alice}\n\nbob:\u00e9`), /^line 3 of/],
    ['half a character', Buffer.from(`alice:${alice}\né`).subarray(0, -1), /^line 2 of/],
    [
      'UTF-16 with a mark',
      Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(psqlCsv)]),
      /^keys.csv is UTF-16 text/,
    ],
    [
      'UTF-16, the other way round',
      Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(psqlCsv)]).swap16(),
      /^keys.csv is UTF-16 text/,
    ],
    [
      'UTF-16 without a mark',
      utf16(`user,key\nalice,${alice}`),
      /^line 1 of keys.csv has a NUL byte/,
    ],
    [
      'a NUL byte',
      Buffer.from(`user,key\nalice,${alice}\0\n`),
      /^line 2 of keys.csv has a NUL byte/,
    ],
    [
      'a lost character',
      Buffer.from(`user,key\nJos\uFFFD,${alice}`),
      /^line 2 has a character that was lost/,
    ],
    [
      'a mark in the middle',
      Buffer.from(`alice:${alice}\n\uFEFFbob:${bob}`),
      /^line 2 has a byte order mark/,
    ],
  ])('%s -> refused with the line and what to do', (_what, file, why) => expectRefusal(file, why));
});

describe('import --file', () => {
  it('what psql writes without a header, and Windows-1252 -> exit 1, nothing taken over, no key shown', async () => {
    const inputs = [psqlCsv, latin1(`user,key\nJos\u00e9,${alice}\n`)];
    const runs = await Promise.all(
      inputs.map((input) => cli(['import', '--file', '-'], { env, input })),
    );
    for (const { code, stdout, stderr } of runs) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^error: line \d .+\n$/);
      expect(stderr).not.toContain('s3cret');
    }
    expect(await keys.list()).toEqual([]);
  });

  it('--skip-bad-lines -> the good lines are taken over, and every other one is told of', async () => {
    const cwd = folder({ 'keys.csv': `user,key\ncarol,${alice}\ndave,2026-01-05 12:34\n` });
    const args = ['import', '--file', 'keys.csv', '--format', 'csv', '--skip-bad-lines'];
    const first = await cli(args, { env, cwd });
    expect(first.code).toBe(0);
    expect(first.stderr).toMatch(/^line 3 .+\nTook over 1 key; 0 already there; left out 1.\n/);
    const { stdout } = await cli([...args, '--json'], { env, cwd });
    expect(JSON.parse(stdout)).toMatchObject({
      imported: 0,
      duplicates: 1,
      skipped: [expect.stringMatching(/^line 3 /)],
    });
    expect(await keys.list({ user: 'dave' })).toEqual([]);
  });

  it.each([
    [['--file', 'x', '--skip-bad-lines']],
    [['alice', '--format', 'csv']],
    [['--file', 'x', '--format', 'xml']],
  ])('%j -> misused', async (args) => {
    expect(await cli(['import', ...args], { env })).toMatchObject({ code: 2, stdout: '' });
  });

  it('one key in UTF-16, as PowerShell writes it -> told what the file is', async () => {
    const { code, stderr } = await cli(['import', 'erin'], {
      env,
      input: Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(alice)]),
    });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^error: standard input is UTF-16 text, .+ save it as UTF-8/),
    });
  });
});

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'dotenv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEnv } from '../../src/cli/env-file/decode.js';
import { addEntry } from '../../src/cli/secret/env-entry.js';
import { generateApiKey } from '../../src/index.js';
import { cli, folder, shell, type CliOptions } from '../support/cli.js';
import { fuzz, fuzzTimeoutMs } from '../support/fuzz.js';

const key = generateApiKey().key;
const secret = 'hunter2-of-smtp';
const bytesOf = (cwd: string) => readFileSync(join(cwd, '.env'));

interface Finding {
  severity: string;
  code: string;
  message: string;
  remedy?: string;
}

async function findingsOf(options: CliOptions): Promise<Finding[]> {
  const { stdout, stderr } = await cli(['doctor', '--json'], options);
  for (const each of [key, secret]) expect(stdout + stderr).not.toContain(each);
  return (JSON.parse(stdout) as { findings: Finding[] }).findings;
}

function folderOf(bytes: Buffer): string {
  const cwd = folder({ '.env': '' });
  writeFileSync(join(cwd, '.env'), bytes);
  return cwd;
}

/** What `node --env-file` of this Node and dotenv read. */
const readersOf = (text: string) => [parseEnv(text), parse(text)] as Record<string, string>[];

const withoutName = (values: Record<string, string>, name: string) =>
  Object.entries(values)
    .filter(([each]) => each !== name)
    .map((pair) => JSON.stringify(pair))
    .toSorted();

/** Whether both readers find the key in what `generate` would write, and all else as before. */
function isWellRead(before: string, after: string): boolean {
  const [old, now] = [readersOf(before), readersOf(after)];
  return now.every(
    (values, index) =>
      values['INTERNAL_API_KEY'] === key &&
      JSON.stringify(withoutName(values, 'INTERNAL_API_KEY')) ===
        JSON.stringify(withoutName(old[index]!, 'INTERNAL_API_KEY')),
  );
}

const texts: [string, string, number, string][] = [
  ['a byte order mark', '\uFEFFINTERNAL_API_KEY=<key>\n', 1, 'begins with a byte order mark'],
  [
    'a byte order mark of a file that was appended',
    'A=1\n\uFEFFINTERNAL_API_KEY=<key>\n',
    2,
    'begins with a byte order mark',
  ],
  ['that, and a comment', '\uFEFF# a\nINTERNAL_API_KEY=<key>\n', 1, 'a byte order mark'],
  [
    'a blank value in front',
    `A=${secret}\nSMTP_PASSWORD= \nINTERNAL_API_KEY=<key>\n`,
    2,
    'has only blanks behind its =',
  ],
  [
    'a blank value, a tab and line ends of Windows',
    'SMTP_PASSWORD=\t\r\nINTERNAL_API_KEY=<key>\r\n',
    1,
    'has only blanks behind its =',
  ],
  ['a tab behind export', 'export\tINTERNAL_API_KEY=<key>\n', 1, 'behind export'],
  ['two blanks behind export', 'export  INTERNAL_API_KEY=<key>\n', 1, 'behind export'],
  ['a colon', 'A=1\nINTERNAL_API_KEY: <key>\n', 2, 'has a colon where = belongs'],
  [
    'a quote that another line closes',
    `SMTP_PASSWORD="${secret}\nINTERNAL_API_KEY=<key>\nB="2"\n`,
    1,
    'opens a quote that it does not close',
  ],
  ['line ends of CR alone', 'A=1\rINTERNAL_API_KEY=<key>\r', 1, 'has line ends of CR alone'],
  ['a line without =', `${secret}\nINTERNAL_API_KEY=<key>\n`, 1, 'has no ='],
  ['text behind quotes', 'INTERNAL_API_KEY="<key>" old\n', 1, 'has more behind its closing quote'],
  [
    'a quote behind a backslash',
    `A="${secret}\\"\nINTERNAL_API_KEY=<key>\nB="2"\n`,
    1,
    'a backslash in front of its closing quote',
  ],
  ['an odd blank', 'INTERNAL_API_KEY=\u00a0<key>\n', 1, 'has an odd kind of blank'],
];

describe('a .env that node --env-file and dotenv read differently', () => {
  it.each(texts)(
    '%s -> doctor names line and variable, or the readers of this Node agree',
    async (_what, template, line, what) => {
      const text = template.replace('<key>', key);
      const findings = await findingsOf({ cwd: folder({ '.env': text }) });
      const [node, dotenv] = readersOf(text);
      const isSame = node!['INTERNAL_API_KEY'] === dotenv!['INTERNAL_API_KEY'];
      const told = findings.filter(({ message }) => message.startsWith(`line ${line} of .env `));
      if (isSame) {
        expect(told.every(({ severity }) => severity !== 'error')).toBe(true);
        return;
      }
      expect(told).toMatchObject([
        { severity: 'error', message: expect.stringContaining(what) as unknown },
      ]);
      expect(told[0]!.message).toContain('INTERNAL_API_KEY (line ');
      expect(told[0]!.remedy).toBeTruthy();
    },
  );

  it('a variable that holds no key -> a warning by its name, and never by its value', async () => {
    const text = `INTERNAL_API_KEY=${key}\nSMTP_PASSWORD="${secret}" x\nabc${secret}: 1\n`;
    const findings = await findingsOf({ cwd: folder({ '.env': text }) });
    expect(findings.filter(({ code }) => code === 'readers_differ')).toMatchObject([
      {
        severity: 'warning',
        message: expect.stringMatching(/SMTP_PASSWORD \(line 2\)/) as unknown,
      },
      { severity: 'warning', message: expect.stringMatching(/a variable \(line 3\)/) as unknown },
    ]);
  });

  it('a line that some releases of Node stumble over -> told, as an error or as a note', async () => {
    for (const first of ['SMTP_PASSWORD= ', 'just words']) {
      const text = `${first}\nINTERNAL_API_KEY=${key}\n`;
      const findings = await findingsOf({ cwd: folder({ '.env': text }) });
      expect(findings.some(({ message }) => message.startsWith('line 1 of .env has '))).toBe(true);
    }
    const pem = `CERT="\n-----BEGIN-----\nabcd\n-----END-----"\nINTERNAL_API_KEY=${key}\n`;
    const findings = await findingsOf({ cwd: folder({ '.env': pem }) });
    expect(findings.map(({ code }) => code)).toEqual(['no_database']);
  });

  it.each<[string, string, string]>([
    ['with a byte order mark in it', '\uFEFFINTERNAL_API_KEY', 'a byte order mark'],
    ['with a tab and export', 'export\tINTERNAL_API_KEY', 'the word export'],
    ['with a blank', ' INTERNAL_API_KEY', 'blanks or invisible characters'],
  ])('a name in the environment %s -> told what cannot be seen', async (_what, name, what) => {
    const [finding] = await findingsOf({ cwd: folder(), env: { [name]: key } });
    expect(finding).toMatchObject({
      code: 'unset_variable',
      remedy: expect.stringContaining(
        `a variable is set whose name is INTERNAL_API_KEY with ${what} in it`,
      ) as unknown,
    });
  });
});

describe('a .env in another encoding', () => {
  const text = `# Jos\u00e9\r\nINTERNAL_API_KEY=${key}\r\n`;
  const padding = `A=${'x'.repeat(300)}\n`;
  const wide = Buffer.from(text, 'utf16le');
  const narrow = Buffer.from(`INTERNAL_API_KEY=${key}\r\n`, 'utf16le');

  it.each<[string, Buffer, string, string]>([
    ['UTF-16 with its mark', Buffer.from(`\uFEFF${text}`, 'utf16le'), 'but UTF-16', text],
    ['UTF-16 without', wide, 'but UTF-16', text],
    ['UTF-16, big-endian', Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(), 'but UTF-16', text],
    ['that, without its mark', Buffer.from(wide).swap16(), 'but UTF-16', text],
    [
      'UTF-8 to which UTF-16 was added',
      Buffer.concat([Buffer.from(padding), narrow]),
      'from line 2 on',
      `${padding}INTERNAL_API_KEY=${key}\r\n`,
    ],
    ['Windows-1252', Buffer.from(text, 'latin1'), 'on line 1, but Windows-1252', text],
  ])(
    '%s -> named, generate changes nothing, and the remedy mends it when pasted',
    async (_what, bytes, what, mended) => {
      const cwd = folderOf(bytes);
      const [[finding], refused] = await Promise.all([
        findingsOf({ cwd }),
        cli(['generate', '--env', 'OTHER_KEY', '--out', '.env'], { cwd }),
      ]);
      expect(finding).toMatchObject({ code: 'wrong_encoding' });
      expect(finding!.message).toContain(what);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toContain(finding!.remedy);
      expect(bytesOf(cwd)).toEqual(bytes);
      expect(readdirSync(cwd)).toEqual(['.env']);
      expect(await shell(finding!.remedy!, { cwd })).toMatchObject({ code: 0 });
      expect(decodeEnv(bytesOf(cwd), '.env')).toEqual({ text: mended });
    },
  );

  it.each([
    ['a byte order mark', `\uFEFFINTERNAL_API_KEY=${key}\n`, `INTERNAL_API_KEY=${key}\n`],
    ['line ends of CR', `A=1\rINTERNAL_API_KEY=${key}\r`, `A=1\nINTERNAL_API_KEY=${key}\n`],
  ])('%s -> the remedy mends it when pasted', async (_what, before, after) => {
    const cwd = folder({ '.env': before });
    const [finding] = await findingsOf({ cwd });
    expect(await shell(finding!.remedy!, { cwd })).toMatchObject({ code: 0 });
    expect(bytesOf(cwd).toString()).toBe(after);
  });

  it('a file whose name no shell takes as it stands -> the remedy leaves a place for it', () => {
    const { wrong } = decodeEnv(wide, "it's.env");
    expect(wrong!.remedy).toContain("readFileSync('<file>')");
  });
});

/** The text with the key in it, or why it was refused. */
function add(before: string): { after?: string; refusal?: string } {
  try {
    return { after: addEntry(before, { name: 'INTERNAL_API_KEY', file: '.env' }, key) };
  } catch (error) {
    expect((error as Error).name).toBe('Failure');
    return { refusal: (error as Error).message };
  }
}

describe('generate --env --out, read back as an application does', () => {
  // An empty value is filled in, and a name of its own comes to the end.
  it.each([
    ...texts.map(([what, text, line]) => [what, text.replace('<key>', ''), line] as const),
    ...texts.map(
      ([what, text, line]) =>
        [`${what}, of another`, text.replace('INTERNAL_', 'X_'), line] as const,
    ),
    ['a comment without a line break', 'A=1\n#B=2', 2] as const,
  ])(
    '%s -> both readers find the key, or it is refused and the line is named',
    (_what, before, line) => {
      const { after, refusal } = add(before);
      if (after !== undefined) return expect(isWellRead(before, after)).toBe(true);
      expect(refusal).toMatch(
        /^\.env (is written in a way that cannot be added to safely: |sets INTERNAL_API_KEY already)/,
      );
      expect(refusal).toMatch(new RegExp(`line ${line}\\b`));
      expect(refusal).not.toContain(secret);
    },
  );

  it('a key that node --env-file alone sees -> refused, and not put out of use', async () => {
    const before = `A="x\\"\nINTERNAL_API_KEY=${key}\nB="2"\n`;
    const cwd = folder({ '.env': before });
    const result = await cli(['generate', '--env', 'INTERNAL_API_KEY', '--out', '.env'], { cwd });
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(bytesOf(cwd).toString()).toBe(before);
  });

  const blank = fc.constantFrom('', ' ', '\t', '  ', '\u00a0');
  const value = fc.constantFrom(
    ...['', ' ', 'x', 'a b', '"x"', "'x'", '`x`', '"', "'", '`', '"x', "it's", 'x"', '"a" b'],
    ...['x # y', 'x#y', '# y', '"#"', '$A', '${A}', 'a\\nb', '"a\\nb"', '"a\\"b"', '"a\nb"'],
    ...["'a\nINTERNAL_API_KEY=b'", '`\n`', 'x\\', '=', 'a=b', '\0', 'INTERNAL_API_KEY=x'],
  );
  const name = fc.constantFrom('A', 'B', 'A', 'INTERNAL_API_KEY', 'C.D', 'E-F', '', 'G H', '$I');
  const assignment = fc
    .tuple(
      fc.constantFrom('', '', '', 'export ', 'export\t', 'export', ' ', '\uFEFF', '#'),
      name,
      blank,
      fc.constantFrom('=', '=', '=', '=', ': ', ':', '=='),
      blank,
      value,
      blank,
    )
    .map((parts) => parts.join(''));
  const line = fc.oneof(
    { weight: 6, arbitrary: assignment },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', '# a', "# it's", '???', '"', '-----END"', '\uFEFF'),
    },
    { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
  );
  const envText = fc
    .tuple(
      fc.constantFrom('', '', '', '\uFEFF'),
      fc.array(fc.tuple(line, fc.constantFrom('\n', '\n', '\n', '\r\n', '\r')), { maxLength: 6 }),
      fc.constantFrom('', '', 'A=1', 'A= ', 'A="'),
    )
    .map(([mark, lines, last]) => mark + lines.flat().join('') + last);

  it(
    'any text -> a file in which both readers find the key and all else, or a refusal',
    () => {
      let written = 0;
      fc.assert(
        fc.property(envText, (before) => {
          const { after } = add(before);
          if (after === undefined) return;
          written++;
          expect(isWellRead(before, after)).toBe(true);
          expect(after.length).toBeGreaterThanOrEqual(before.length + key.length);
        }),
        fuzz(3_000, 41),
      );
      expect(written).toBeGreaterThan(300);
    },
    fuzzTimeoutMs,
  );

  it(
    'any file -> the command leaves one that both read, or every byte as it was',
    async () => {
      await fc.assert(
        fc.asyncProperty(envText, async (before) => {
          const cwd = folder({ '.env': before });
          const { code, stdout, stderr } = await cli(
            ['generate', '--env', 'INTERNAL_API_KEY', '--out', '.env'],
            { cwd },
          );
          const after = bytesOf(cwd).toString();
          expect(stdout).toBe('');
          expect(readdirSync(cwd)).toEqual(['.env']);
          if (code === 0) {
            const made = parseEnv(after)['INTERNAL_API_KEY']!;
            expect(stderr).not.toContain(made);
            expect(isWellRead(before, after.replace(made, key))).toBe(true);
          } else {
            expect(code).toBe(1);
            expect(stderr).toMatch(/^error: .+\n$/);
            expect(bytesOf(cwd)).toEqual(Buffer.from(before));
          }
        }),
        fuzz(8, 42),
      );
    },
    fuzzTimeoutMs,
  );
});

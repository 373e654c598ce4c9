import { describe, expect, it } from 'vitest';
import { examineVariable } from '../../src/cli/doctor/variables.js';
import { moreThanKey } from '../../src/cli/key-problem.js';
import { findKeys } from '../../src/cli/secrets.js';
import { generateApiKey, digestApiKey } from '../../src/index.js';
import { cli, folder } from '../support/cli.js';

const [a, b, c] = [generateApiKey().key, generateApiKey().key, generateApiKey().key];
const shop = generateApiKey({ prefix: 'my_shop' }).key;
const wrong = (key: string) => key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A');

const single = { name: 'INTERNAL_API_KEY', isList: false };
const list = { name: 'API_KEYS', isList: true };

function findingsOf(variable: typeof single, value: string) {
  const findings = examineVariable(variable, value);
  for (const each of [a, b, c, shop].flatMap((key) => [key, key.slice(-20, -8)]))
    expect(JSON.stringify(findings)).not.toContain(each);
  for (const { remedy } of findings) expect(remedy).toBeTruthy();
  return findings;
}

describe('a value that holds a genuine key and something else', () => {
  it.each<[string, string, string, string]>([
    ['a \\n written out behind it', `${a}\\n`, 'more_than_key', String.raw`has \n written out`],
    ['a \\r\\n written out', `${a}\\r\\n`, 'more_than_key', String.raw`has \r written out`],
    ['a \\n in front of it', `\\n${a}`, 'more_than_key', String.raw`has \n written out`],
    ['a \\n between two', `${a}\\n${b}`, 'more_than_key', String.raw`has \n written out`],
    ['two and |', `${a}|${b}`, 'more_than_key', 'has | between it and another'],
    ['two and +', `${a}+${b}`, 'more_than_key', 'has + between it and another'],
    ['two and a blank', `${a} ${b}`, 'more_than_key', 'has no comma between it and another'],
    ['two and nothing', `${a}${b}`, 'more_than_key', 'has no comma between it and another'],
    ['a JSON array of one', `["${a}"]`, 'more_than_key', 'has brackets around it'],
    ['a JSON object', `{"key":"${a}"}`, 'more_than_key', 'has brackets around it'],
    ['a quote left over behind', `${a}"`, 'more_than_key', 'has a quote left over'],
    ['a quote left over in front', `'${a}`, 'more_than_key', 'has a quote left over'],
    ['its own name in front', `INTERNAL_API_KEY=${a}`, 'more_than_key', 'has other text around it'],
    ['the key first', `${a}:alice`, 'more_than_key', 'has other text around it'],
    ['a letter too many', `${a}x`, 'more_than_key', 'has other text around it'],
    ['a ; behind it', `${a};`, 'more_than_key', 'has other text around it'],
    ['Bearer in front', `Bearer ${a}`, 'more_than_key', 'has a word in front of it'],
    ['a zero-width space', `${a}\u200b`, 'more_than_key', 'has invisible characters around it'],
    ['a byte order mark', `\u200b\ufeff${a}`, 'more_than_key', 'has invisible characters around'],
    ['a blank inside', `${a.slice(0, 20)} ${a.slice(20)}`, 'more_than_key', 'has blanks inside'],
    [
      'a soft hyphen inside',
      `${a.slice(0, 20)}\u00ad${a.slice(20)}`,
      'more_than_key',
      'has invisible characters inside',
    ],
    ['cut short', a.slice(0, -5), 'mistyped_key', 'its checksum does not fit'],
    ['cut short by much', a.slice(0, 36), 'mistyped_key', 'its checksum does not fit'],
    ['mistyped', wrong(a), 'mistyped_key', 'its checksum does not fit'],
    ['mistyped, of another prefix', wrong(shop), 'mistyped_key', 'its checksum does not fit'],
  ])('one key, %s -> found', (_what, value, code, what) => {
    const findings = findingsOf(single, value);
    expect(findings).toMatchObject([{ severity: 'error', code }]);
    expect(findings[0]!.message).toMatch(/^INTERNAL_API_KEY holds a mistake: the key in entry 1 /);
    expect(findings[0]!.message).toContain(what);
    // As `check` says of a key that is presented.
    const inList = findingsOf(list, `carol:${c},alice:${value}`);
    expect(inList).toMatchObject([{ severity: 'error', code }]);
    expect(inList[0]!.message).toContain('the key in entry 2 ');
    expect(inList[0]!.message).toContain(what);
  });

  it.each<[string, string, string[]]>([
    ['|', `alice:${a}|bob:${b}`, ['the key in entry 1 has | between']],
    ['+', `carol:${c},alice:${a}+bob:${b}`, ['the key in entry 2 has + between']],
    ['\\n', `alice:${a}\\nbob:${b}`, [String.raw`the key in entry 1 has \n written out`]],
    [
      '"," of a JSON array without its ends',
      `alice:${a}","bob:${b}`,
      ['the key in entry 1 has a quote left over', 'entry 2 has a quote or a bracket at its user'],
    ],
    [
      'a JSON array',
      `["alice:${a}","bob:${b}"]`,
      ['entry 1 has a quote left over', 'entry 2 has brackets around it'],
    ],
    [
      'a JSON object',
      `{"alice":"${a}","bob":"${b}"}`,
      ['has quotes that are part of its value (entry 1, entry 2)'],
    ],
    [
      'the name twice',
      `API_KEYS=alice:${a}`,
      ['the key in entry 1 has NAME= in front of its user'],
    ],
    ['a zero-width user', `\u200balice:${a}`, ['entry 1 has invisible characters in its user']],
    ['= for the colon', `alice=${a}`, ['the key in entry 1 has other text around it']],
    ['no user', `alice:${a},${b}`, ['entry 2 has no user']],
    ['the key first', `${a}:alice`, ['entry 1 has a key where its user should stand']],
  ])('a list with %s -> each by its position', (_what, value, parts) => {
    const findings = findingsOf(list, value);
    expect(findings.length).toBeGreaterThan(0);
    const text = findings.map(({ message }) => message).join('\n');
    for (const part of parts) expect(text).toContain(part);
  });

  it('a list in which a user is missing, or = stands for the colon -> told to write user:key', () => {
    for (const value of [a, `${a}:alice`, `alice=${a}`]) {
      expect(findingsOf(list, value)[0]!.remedy).toContain('write <user>:<key>');
    }
  });

  it('sound keys, digests, keys from elsewhere that look alike -> nothing', () => {
    const hex = '0123456789abcdef'.repeat(3);
    for (const key of [
      a,
      shop,
      digestApiKey(a),
      `app_${hex}`,
      'sk_live_4eC39HqLyjWDarjtT1zdp7dcTYxyz012',
    ])
      expect([...findingsOf(single, key), ...findingsOf(list, `alice:${key}`)]).toEqual([]);
    expect(findingsOf(single, `${a},${b}`)).toEqual([]);
    expect(findingsOf(list, `alice:${a},\n bob:${shop}`)).toEqual([]);
  });

  it('a key cut short beside a whole one of the same prefix -> found, however short', () => {
    expect(findingsOf(list, `alice:${shop},bob:${shop.slice(0, 30)}`)).toMatchObject([
      { code: 'mistyped_key', message: expect.stringContaining('entry 2') as unknown },
    ]);
  });

  it('doctor -> says so and exits 1, without the key', async () => {
    const cwd = folder({ '.env': `API_KEYS=alice:${a}|bob:${b}\n` });
    const { code, stdout, stderr } = await cli(['doctor'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toContain(
      'API_KEYS holds a mistake: the key in entry 1 has | between it and another.\n         -> write a comma between entries\n',
    );
    for (const key of [a, b]) expect(stdout + stderr).not.toContain(key);
  });
});

describe('keys within a text', () => {
  it('whatever runs into their prefix or follows -> each is found where it stands', () => {
    const text = `n${a}${b}x_${c}\\n${shop}`;
    expect(findKeys(text).map(({ start, end }) => text.slice(start, end))).toEqual([a, b, c, shop]);
  });

  it('a long text without one -> nothing, in no time', () => {
    const start = performance.now();
    for (const text of [
      'a'.repeat(200_000),
      'a_'.repeat(100_000),
      `${'a'.repeat(60)}_`.repeat(2_000),
    ])
      expect(moreThanKey(text)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(3_000);
  });
});

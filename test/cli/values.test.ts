import { describe, expect, it } from 'vitest';
import { parseCsv, type CsvRow } from '../../src/cli/import/parse-csv.js';
import { formatFinding } from '../../src/cli/finding.js';
import { mask } from '../../src/cli/secrets.js';
import { count, plain } from '../../src/cli/terminal/output.js';
import { durationBetween, formatDuration, parseDuration } from '../../src/cli/values/duration.js';
import { parseInstant } from '../../src/cli/values/instant.js';
import { generateApiKey } from '../../src/index.js';

describe('durations', () => {
  it.each([
    ['45s', 45_000, '45s'],
    ['30m', 1_800_000, '30m'],
    ['24h', 86_400_000, '1d'],
    ['36h', 129_600_000, '36h'],
    ['2w', 1_209_600_000, '14d'],
    ['0s', 0, '0s'],
  ])('%s -> %d ms, written %s', (text, ms, written) => {
    expect(parseDuration(text)).toBe(ms);
    expect(formatDuration(ms)).toBe(written);
  });

  it('a duration at a bound, and one past it -> read, and refused in the words of the bounds', () => {
    const read = durationBetween('1m', '30d');
    expect([read('1m'), read('60s'), read('30d')]).toEqual([60_000, 60_000, 30 * 86_400_000]);
    for (const text of ['59s', '31d']) expect(() => read(text)).toThrow('Write 1m to 30d.');
  });

  it.each([
    '',
    '90',
    '-1d',
    '1.5h',
    '3mo',
    '1y',
    '1d12h',
    ' 1d',
    '1 d',
    '1D',
    'd',
    '9999999d',
    'P1D',
  ])('%j -> none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('dates', () => {
  it.each([
    ['2027-01-31', new Date(2027, 0, 31)],
    ['2027-01-31T12:30', new Date(2027, 0, 31, 12, 30)],
    ['2027-01-31 12:30:15', new Date(2027, 0, 31, 12, 30, 15)],
    ['2027-01-31T12:30Z', new Date('2027-01-31T12:30:00Z')],
    ['2027-01-31T12:30:15.250+02:00', new Date('2027-01-31T10:30:15.250Z')],
    ['2028-02-29', new Date(2028, 1, 29)],
  ])('%s -> its instant, local without a zone', (text, instant) => {
    expect(parseInstant(text)).toEqual(instant);
  });

  it.each([
    '',
    '2027',
    '2027-1-31',
    '2027-02-29',
    '2027-13-01',
    '2027-00-10',
    '2027-01-31T25:00',
    '31.1.2027',
    'tomorrow',
  ])('%j -> none', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });
});

describe('counts', () => {
  it.each([
    [0, '0 keys'],
    [1, '1 key'],
    [2, '2 keys'],
  ])('%d -> %s', (number, text) => {
    expect(count(number, 'key')).toBe(text);
  });
});

describe('CSV', () => {
  it.each([
    [
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\r\n\r\n1,',
      [
        ['a', 'b'],
        ['1', ''],
      ],
    ],
    ['"a ""x""","b\nc"', [['a "x"', 'b\nc']]],
    [' a , b ', [['a', 'b']]],
    ['', []],
  ])('%j -> its rows', (text, rows) => {
    const parsed = parseCsv(text) as CsvRow[];
    expect(parsed.map(({ fields }) => fields)).toEqual(rows);
  });

  it('a field of twenty million characters, bare or quoted or all quotes -> read', () => {
    const length = 20_000_000;
    for (const field of [
      'x'.repeat(length),
      `"${'x'.repeat(length)}"`,
      `"${'""'.repeat(length / 2)}"`,
    ]) {
      const rows = parseCsv(`${field},b\n`) as CsvRow[];
      expect(rows[0]!.fields.map((each) => each.length)).toEqual([
        field.startsWith('""') ? length / 2 : length,
        1,
      ]);
    }
  });

  it('a field over several lines -> later rows are named by their own lines', () => {
    expect(parseCsv('a\n"b\n\nc"\r\nd\n')).toMatchObject([{ line: 1 }, { line: 2 }, { line: 5 }]);
  });

  it.each([
    ['a\n"b\n', 2],
    ['a,b"c\n', 1],
    ['"a"b', 1],
  ])('%j -> the line of the wrong quote', (text, line) => {
    expect(parseCsv(text)).toEqual({ unclosedLine: line });
  });
});

describe('what is said', () => {
  it('a connection string or a key in it -> masked', () => {
    const { key } = generateApiKey({ prefix: 'acme_live' });
    expect(mask(`postgres://root:hunter2@host/x?password=hunter2&a=1 and "${key}"`)).toBe(
      'postgres://root:<secret>@host/x?password=<secret>&a=1 and "<key>"',
    );
    expect(mask('https://host:8080/path@x')).toBe('https://host:8080/path@x');
  });

  it('controls, line separators and bidi marks in it -> replaced', () => {
    const text = 'a\u001b]0;x\u0007\u009b\u2028\u200e\u200f\u202a\u202e\u2066\u2069\nb';
    expect(plain(text)).toBe('a?]0;x??????????b');
    const finding = formatFinding({ severity: 'note', code: 'x', message: text, remedy: text });
    expect(finding).toBe('note     a?]0;x??????????b\n         -> a?]0;x??????????b');
  });
});

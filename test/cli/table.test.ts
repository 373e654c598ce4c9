import { describe, expect, it } from 'vitest';
import { formatTable } from '../../src/cli/terminal/table.js';

const columns = [
  { title: 'KEY ID' },
  { title: 'NAME', least: 8 },
  { title: 'CREATED', least: 10, spare: 1 },
];

describe('a table', () => {
  it('more width than needed -> one line a row, columns aligned, no blanks at the end', () => {
    const rows = [
      ['key_1', 'ci', 'today'],
      ['key_22', 'nightly job', ''],
    ];
    expect(formatTable(columns, rows, 80).split('\n')).toEqual([
      'KEY ID  NAME         CREATED',
      'key_1   ci           today',
      'key_22  nightly job',
    ]);
  });

  it('wide, combined and invisible characters -> counted as the terminal shows them', () => {
    const names = ['東京', '한국어', 'ｶﾀｶﾅ', 'e\u0301te\u0301', '👩‍🚀', 'a\u200bb'];
    const lines = formatTable(
      [{ title: 'NAME' }, { title: 'END' }],
      names.map((name) => [name, '|']),
      80,
    ).split('\n');
    expect(lines).toEqual([
      'NAME    END',
      '東京    |',
      '한국어  |',
      'ｶﾀｶﾅ    |',
      'e\u0301te\u0301     |',
      '👩‍🚀      |',
      'a\u200bb      |',
    ]);
  });

  it('too little width -> spare columns go, then cells break between words, or inside long ones', () => {
    const rows = [
      ['key_4fQz81LmBw', 'the job that runs accountingdepartments', '2026-11-29 22:33'],
    ];
    expect(formatTable(columns, rows, 28).split('\n')).toEqual([
      'KEY ID          NAME',
      'key_4fQz81LmBw  the job that',
      '                runs',
      '                accountingde',
      '                partments',
    ]);
  });

  it('no width that would do -> what identifies a key is whole', () => {
    const text = formatTable(columns, [['key_4fQz81LmBw', '東京'.repeat(9), '']], 10);
    expect(text).toContain('key_4fQz81LmBw');
    expect(text.replaceAll(/[^東京]/g, '')).toBe('東京'.repeat(9));
  });
});

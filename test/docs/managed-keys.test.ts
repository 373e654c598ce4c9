import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const text = readFileSync('docs/managed-keys.md', 'utf8');
const sqlite = readFileSync('docs/sqlite.md', 'utf8');

/** The rows of the first table after a text, cell by cell, without its head. */
function tableAfter(document: string, words: string): string[][] {
  const [, rest] = document.split(words);
  const [, table] = /\n\n(\|[^]*?)\n\n/.exec(rest!)!;
  const rows = table!.split('\n').slice(2);
  return rows.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** The options of an interface, each with the default that its comment ends with. */
function declaredOptions(file: string, name: string): [option: string, told: string][] {
  const source = readFileSync(file, 'utf8');
  const [, body] = new RegExp(`interface ${name}\\b[^{]*\\{\n([^]*?)\n\\}\n`).exec(source)!;
  return [...body!.matchAll(/\/\*\*([^]*?)\*\/\n  (\w+)\??: /g)].map(([, comment, option]) => {
    const words = comment!.replaceAll(/\s*\n\s+\* /g, ' ').trim();
    const [, told = 'required'] = /Default:? ([^(.]+(?:\.now`)?)/.exec(words) ?? [];
    return [option!, told.trim()];
  });
}

/** The same default in the words of a table. */
const inTable = (told: string) =>
  told.replaceAll('`', '').replace('true if the store keeps them', 'if the store can');

const optionsIn = (rows: string[][]) =>
  rows.map(([option, told]) => [option!.replaceAll('`', ''), told!.replaceAll('`', '')]);

describe('docs/managed-keys.md', () => {
  it('a promise -> its bound, and a test of it that is there', () => {
    const rows = tableAfter(text, '\n## What is promised\n');
    expect(rows.length).toBeGreaterThan(20);
    for (const [promise, bound, tests] of rows) {
      expect(bound, promise).not.toBe('');
      const named = [...tests!.matchAll(/`(test\/[\w/-]+\.test\.ts)`/g)].map(([, path]) => path!);
      expect(named, promise).not.toEqual([]);
      expect(
        named.filter((path) => !existsSync(path)),
        promise,
      ).toEqual([]);
    }
  });

  it('the tests in test/promises -> each shows a promise that is told', () => {
    const untold = readdirSync('test/promises')
      .map((name) => `test/promises/${name}`)
      // How the promises hold on a wrong clock: no promise of its own.
      .filter((path) => path !== 'test/promises/clock.test.ts' && !text.includes(path));
    expect(untold).toEqual([]);
  });

  it.each([
    ['ApiKeyManagerOptions', 'src/manager/manager-options.ts', '\n## Options of the manager'],
    [
      'PostgresKeyStoreOptions',
      'src/stores/postgres/postgres-key-store.ts',
      '`new PostgresKeyStore',
    ],
  ])('the options of %s -> in their table, with their defaults', (name, file, words) => {
    const declared = declaredOptions(file, name).map(([option, told]) => [option, inTable(told)]);
    expect(declared.length).toBeGreaterThan(5);
    expect(optionsIn(tableAfter(text, words))).toEqual(declared);
  });

  it('the options of SqliteFileOptions -> in the table of docs/sqlite.md, with their defaults', () => {
    const file = 'src/stores/sqlite/sqlite-key-store.ts';
    const declared = declaredOptions(file, 'SqliteFileOptions');
    expect(optionsIn(tableAfter(sqlite, 'never closes it.'))).toEqual(
      declared.map(([option, told]) => [option, inTable(told)]),
    );
  });
});

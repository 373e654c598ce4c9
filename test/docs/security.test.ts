import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const text = readFileSync('docs/security.md', 'utf8');

/** The rows of the table under a heading, cell by cell, without its head. */
function tableUnder(heading: string): string[][] {
  const [, section] = text.split(`\n## ${heading}\n`);
  const lines = section!
    .split(/\n## /)[0]!
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

const codeIn = (markdown: string) => [...markdown.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

const isTest = (path: string): boolean =>
  statSync(path).isDirectory()
    ? readdirSync(path).some((name) => name.endsWith('.test.ts'))
    : path.endsWith('.test.ts');

describe('docs/security.md', () => {
  it('a file or folder of tests that it names -> is there, and holds tests', () => {
    const named = codeIn(text).filter((code) => code.startsWith('test/'));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(path) || !isTest(path))).toEqual([]);
  });

  it('a requirement of the ASVS -> by its number, with how it is met and at least one test, each once', () => {
    const rows = tableUnder('Requirements that apply');
    for (const [requirement, how, tests] of rows) {
      expect(requirement).toMatch(/^\d+\.\d+\.\d+ \w/);
      expect(how).not.toBe('');
      expect(
        codeIn(tests!).filter((code) => code.startsWith('test/')),
        requirement,
      ).not.toEqual([]);
    }
    const numbers = rows.map(([requirement]) => requirement!.split(' ')[0]);
    expect(new Set(numbers).size).toBe(rows.length);
  });

  it('the run-time dependencies of package.json -> none, as it says', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as object;
    expect(text).toContain('## Run-time dependencies\n\nNone.');
    expect(Object.keys(manifest)).not.toContain('dependencies');
    expect(Object.keys(manifest)).not.toContain('optionalDependencies');
  });

  it('a command that it tells to run -> a script of package.json', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    const told = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name]) => name!);
    expect(told).toContain('test:timing');
    expect(told.filter((name) => !(name in scripts))).toEqual([]);
  });
});

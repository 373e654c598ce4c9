import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const text = readFileSync('docs/security.md', 'utf8');

/** The rows of each table under a heading, cell by cell, without its head. */
function tablesUnder(heading: string): string[][][] {
  const [, section] = text.split(`\n${heading}\n`);
  return section!
    .split(/\n##+ /)[0]!
    .split(/\n(?!\|)/)
    .flatMap((part) => {
      const lines = part.split('\n').filter((line) => line.startsWith('|'));
      const rows = lines.slice(2).map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );
      return rows.length > 0 ? [rows] : [];
    });
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

  const testsIn = (cell: string) => codeIn(cell).filter((code) => code.startsWith('test/'));
  const idsIn = (cell: string) => cell.match(/\b\d+\.\d+\.\d+\b/g) ?? [];

  it('a requirement of the ASVS -> by its number, with how it is met and at least one test, each once', () => {
    const [met] = tablesUnder('## Requirements that apply');
    expect(met!.length).toBeGreaterThan(40);
    for (const [requirement, how, tests] of met!) {
      expect(requirement).toMatch(/^\d+\.\d+\.\d+ [\w`]/);
      expect(how).not.toBe('');
      expect(testsIn(tests!), requirement).not.toEqual([]);
    }
    const numbers = met!.map(([requirement]) => requirement!.split(' ')[0]!);
    expect(new Set(numbers).size).toBe(met!.length);
    const inOrder = numbers.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    expect(numbers).toEqual(inOrder);
  });

  it('a requirement that is not ours -> by its number, with the reason, and not among those met', () => {
    const [met, left] = tablesUnder('## Requirements that apply');
    const numbers = met!.flatMap(([requirement]) => idsIn(requirement!));
    for (const [requirement, reason] of left!) {
      expect(idsIn(requirement!), requirement).not.toEqual([]);
      expect(reason!.length, requirement).toBeGreaterThan(20);
      expect(numbers).not.toEqual(expect.arrayContaining(idsIn(requirement!)));
    }
  });

  it('the risks of non-human identities -> all ten by their names, each with a test and what is left', () => {
    const [rows] = tablesUnder('## Non-human identities');
    expect(rows!.map(([risk]) => risk)).toEqual([
      'NHI1:2025 Improper Offboarding',
      'NHI2:2025 Secret Leakage',
      'NHI3:2025 Vulnerable Third-Party NHI',
      'NHI4:2025 Insecure Authentication',
      'NHI5:2025 Overprivileged NHI',
      'NHI6:2025 Insecure Cloud Deployment Configurations',
      'NHI7:2025 Long-Lived Secrets',
      'NHI8:2025 Environment Isolation',
      'NHI9:2025 NHI Reuse',
      'NHI10:2025 Human Use of NHI',
    ]);
    for (const [risk, how, tests, left] of rows!) {
      expect(testsIn(tests!), risk).not.toEqual([]);
      expect(Math.min(how!.length, left!.length), risk).toBeGreaterThan(10);
    }
  });

  it('the threat model -> every part that can be attacked, each row with a test', () => {
    const [rows] = tablesUnder('### By part');
    for (const [part, attack, against, tests] of rows!) {
      expect(testsIn(tests!), `${part}: ${attack}`).not.toEqual([]);
      expect(against).not.toBe('');
    }
    const parts = rows!.map(([part]) => part);
    for (const part of ['guard', 'pause', 'addresses', 'claim links', 'key desk', 'account page'])
      expect(parts).toContain(part);
    for (const part of ['events', 'PostgreSQL', 'SQLite', 'command line'])
      expect(parts).toContain(part);
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

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const files = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

/** The files that a file imports, types included, also those that are loaded later. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  const names = [...source.matchAll(/(?:\bfrom|\bimport\()\s*'(\.[^']+)'/g)];
  return (
    names
      .map(([, name]) => relative('.', resolve(dirname(file), name!)).replace(/\.js$/, '.ts'))
      // The pages' own files stand as text in a module, with imports of their own.
      .filter((target) => files.includes(target))
  );
}

/** The packages that a file imports, types apart. */
function packagesOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  const names = source.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from '([^'.][^']*)';/gm);
  return [...names].map(([, name]) => name!);
}

/**
 * What each room may import besides itself. The entries, which are files of src itself, may import
 * all.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  http: ['lib'],
  keys: ['http', 'lib'],
  sources: ['keys', 'http', 'lib'],
  stores: ['keys', 'http', 'lib'],
  'stores/memory': ['stores', 'keys', 'lib'],
  'stores/postgres': ['stores', 'keys', 'lib'],
  'stores/sqlite': ['stores', 'keys', 'lib'],
  manager: ['stores', 'keys', 'http', 'lib'],
  guard: ['sources', 'keys', 'http', 'lib'],
  web: ['guard', 'manager', 'stores', 'keys', 'http', 'lib'],
  testing: ['guard', 'stores', 'keys', 'lib'],
  cli: [
    ...['manager', 'sources', 'stores', 'stores/postgres', 'stores/sqlite'],
    ...['keys', 'http', 'lib'],
  ],
};

/** The room of a file: its folder, and for stores the database too; empty for an entry. */
function roomOf(file: string): string {
  const [, first = '', second, third] = file.split('/');
  if (second === undefined) return '';
  return first === 'stores' && third !== undefined ? `stores/${second}` : first;
}

describe('the modules of src', () => {
  it('a file of the core -> imports node: modules and files of src alone', () => {
    const outer = new Set(['cli', '']);
    for (const file of files.filter((each) => !outer.has(roomOf(each)))) {
      const packages = packagesOf(file).filter((name) => !name.startsWith('node:'));
      expect(packages, file).toEqual([]);
    }
  });

  it('any file -> imports from its own room and from those that are allowed to it, types included', () => {
    for (const file of files.filter((each) => roomOf(each) !== '')) {
      const room = roomOf(file);
      expect(Object.keys(allowed), file).toContain(room);
      for (const target of importsOf(file)) {
        const isAllowed = roomOf(target) === room || allowed[room]!.includes(roomOf(target));
        expect(isAllowed, `${file} imports ${target}`).toBe(true);
      }
    }
  });

  it('the rooms -> none reaches itself through others', () => {
    const reached = (room: string, seen = new Set<string>()): Set<string> => {
      for (const next of allowed[room]!) if (!seen.has(next)) reached(next, seen.add(next));
      return seen;
    };
    for (const room of Object.keys(allowed)) expect(reached(room), room).not.toContain(room);
  });

  it('any file -> imports no file that imports it in turn, not even a type', () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      expect(path, `a circle through ${file}`).not.toContain(file);
      if (done.has(file)) return;
      for (const target of importsOf(file)) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });

  it('index.ts -> names re-exported one by one, nothing else', () => {
    const source = readFileSync('src/index.ts', 'utf8').replace(/\/\*\*.*?\*\//gs, '');
    const lines = source.trim().split(';\n');
    for (const line of lines)
      expect(line).toMatch(/^export (type )?\{[^*]+\} from '\.\/[^']+';?$/s);
  });
});

describe('the built package', () => {
  const load = (script: string, type: 'module' | 'commonjs') =>
    execFileSync(process.execPath, [`--input-type=${type}`, '--eval', script], {
      encoding: 'utf8',
    });

  it('loaded as an ECMAScript module and as CommonJS -> the same names', () => {
    const print = 'console.log(Object.keys(library).sort().join())';
    const esm = load(`import * as library from 'require-api-key'; ${print}`, 'module');
    const cjs = load(`const library = require('require-api-key'); ${print}`, 'commonjs');
    expect(esm).toBe(cjs);
    expect(esm).toContain('requireApiKey');
  });

  it('the root entry -> loads nothing but itself', () => {
    const script = `
      require('require-api-key');
      console.log(JSON.stringify(Object.keys(require.cache).filter((file) => file.includes('node_modules'))));`;
    const loaded = JSON.parse(load(script, 'commonjs')) as string[];
    expect(loaded).toEqual([]);
  });
});

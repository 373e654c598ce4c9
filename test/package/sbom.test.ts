import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Bom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly purl: string;
  readonly licenses?: readonly unknown[];
  readonly hashes?: readonly unknown[];
}

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly peer?: boolean;
}

const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const manifest = read('package.json') as Record<string, Record<string, string>>;
const lock = read('package-lock.json') as { packages: Record<string, Locked> };
const bom = JSON.parse(
  execFileSync('npm', ['run', '--silent', 'sbom'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
) as Bom;

const root = bom.metadata.component['bom-ref'];
const names = (refs: readonly string[]) =>
  refs
    .map((ref) => bom.components.find((component) => component['bom-ref'] === ref)!.name)
    .toSorted();

describe('npm run sbom', () => {
  it('the package itself -> in CycloneDX, by its name, needing exactly the run-time dependencies of package.json', () => {
    expect(bom.bomFormat).toBe('CycloneDX');
    expect(bom.metadata.component.name).toBe('require-api-key');
    const direct = bom.dependencies.find(({ ref }) => ref === root)!.dependsOn;
    expect(names(direct)).toEqual(
      Object.keys({ ...manifest['dependencies'], ...manifest['optionalDependencies'] }).toSorted(),
    );
  });

  it('the components -> what the lock file installs without development dependencies, no more and no less', () => {
    const installed = Object.entries(lock.packages).flatMap(([path, { version, dev, peer }]) =>
      path === '' || dev === true || peer === true
        ? []
        : [`${path.split('node_modules/').at(-1)}@${version}`],
    );
    const listed = bom.components.map((component) => component['bom-ref']);
    expect(listed.toSorted()).toEqual(installed.toSorted());
  });

  it('a development dependency -> not among them', () => {
    const listed = new Set(bom.components.map(({ name }) => name));
    expect(Object.keys(manifest['devDependencies']!).filter((name) => listed.has(name))).toEqual(
      [],
    );
  });

  it('each component -> with its address, its licence and its hash, and needed by another', () => {
    const needed = new Set(bom.dependencies.flatMap(({ dependsOn }) => dependsOn));
    for (const component of bom.components) {
      expect(component.purl).toMatch(/^pkg:npm\/.+@\d/);
      expect(component.licenses, component.name).toHaveLength(1);
      expect(component.hashes, component.name).toHaveLength(1);
      expect(needed).toContain(component['bom-ref']);
    }
    for (const ref of needed) expect(bom.components.map((each) => each['bom-ref'])).toContain(ref);
  });
});

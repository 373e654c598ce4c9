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

const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
const manifest = read('package.json') as Record<string, Record<string, string>>;
const bom = JSON.parse(
  execFileSync('npm', ['run', '--silent', 'sbom'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
) as Bom;

const root = bom.metadata.component['bom-ref'];
const bundled = [
  ...readFileSync('dist/THIRD-PARTY-LICENSES.md', 'utf8').matchAll(/^## (\S+) (\S+)$/gm),
].map(([, name, version]) => `${name}@${version}`);

describe('npm run sbom', () => {
  it('the package itself -> in CycloneDX, by its name, with all that is bundled into it', () => {
    expect(bom.bomFormat).toBe('CycloneDX');
    expect(bom.metadata.component.name).toBe('require-api-key');
    const direct = bom.dependencies.find(({ ref }) => ref === root)!.dependsOn;
    expect(direct.toSorted()).toEqual(bundled.toSorted());
  });

  it('the components -> what is bundled into the command line, no more and no less', () => {
    const listed = bom.components.map((component) => component['bom-ref']);
    expect(listed).toContain(`commander@${manifest['devDependencies']!['commander']}`);
    expect(listed.toSorted()).toEqual(bundled.toSorted());
  });

  it('what an installation brings besides -> nothing', () => {
    expect([manifest['dependencies'], manifest['optionalDependencies']]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('each component -> with its address, its license and its hash, and needed by another', () => {
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

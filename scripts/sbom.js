// Prints a CycloneDX bill of materials of what an installation brings with it: the run-time dependencies and theirs.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { name, dependencies, optionalDependencies } = JSON.parse(
  readFileSync('package.json', 'utf8'),
);

// Not `--omit dev`: npm then leaves out whatever a development dependency uses as well, such as `pg`.
const output = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
const bom = JSON.parse(output);

const refs = new Map(bom.components.map((component) => [component['bom-ref'], component]));
const needed = new Map(bom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
const root = bom.metadata.component;
const wanted = new Set(Object.keys({ ...dependencies, ...optionalDependencies }));
const direct = needed.get(root['bom-ref']).filter((ref) => wanted.has(refs.get(ref).name));

const kept = new Set(direct);
// What is added meanwhile is visited as well.
for (const ref of kept) for (const each of needed.get(ref) ?? []) kept.add(each);

const result = {
  ...bom,
  // npm names it after its folder.
  metadata: { ...bom.metadata, component: { ...root, name } },
  components: bom.components.filter((component) => kept.has(component['bom-ref'])),
  dependencies: bom.dependencies
    .filter(({ ref }) => kept.has(ref) || ref === root['bom-ref'])
    .map(({ ref, dependsOn }) => ({
      ref,
      dependsOn: ref === root['bom-ref'] ? direct : dependsOn,
    })),
};
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);

// Prints a CycloneDX bill of materials of what the package brings with it. It depends on nothing,
// so these are the packages whose code is bundled into the command line.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { name } = JSON.parse(readFileSync('package.json', 'utf8'));
// Written by each build, from the files that went into the bundle.
const licenses = readFileSync('dist/THIRD-PARTY-LICENSES.md', 'utf8');
const bundled = new Set(
  [...licenses.matchAll(/^## (\S+) (\S+)$/gm)].map(([, each, version]) => `${each}@${version}`),
);

const output = execFileSync(
  'npm',
  ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--workspaces=false'],
  {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  },
);
const bom = JSON.parse(output);

const root = bom.metadata.component;
const kept = new Set(
  bom.components.map((component) => component['bom-ref']).filter((ref) => bundled.has(ref)),
);

const result = {
  ...bom,
  // npm names it after its folder.
  metadata: { ...bom.metadata, component: { ...root, name } },
  components: bom.components.filter((component) => kept.has(component['bom-ref'])),
  dependencies: [
    { ref: root['bom-ref'], dependsOn: [...kept] },
    ...[...kept].map((ref) => ({ ref, dependsOn: [] })),
  ],
};
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);

// Writes the files of the pages into a module, so that they are in the package for ECMAScript modules and CommonJS alike, without a
// look at the disk when it runs. Run it after a change in src/web/browser; a test holds the module to the files.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../src/web/browser/', import.meta.url);
const target = new URL('../src/web/assets.ts', import.meta.url);

const literal = (text: string) => `\`${text.replace(/[\\`]|\$\{/g, '\\$&')}\``;

export function renderAssets(): string {
  const entries = readdirSync(folder)
    .toSorted()
    .map((name) => `  '${name}': ${literal(readFileSync(new URL(name, folder), 'utf8'))},\n`);
  return `// Made by scripts/embed-web-assets.ts from src/web/browser; not to be changed here.

/** The files of the pages, by name. */
export const assets = {
${entries.join('')}} as const;

export type AssetName = keyof typeof assets;
`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(target, renderAssets());

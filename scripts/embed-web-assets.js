// Writes the files of the pages into a module, so that they are in the package for ECMAScript
// modules and CommonJS alike, without a look at the disk when it runs. Every build does so.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../src/web/browser/', import.meta.url);
const target = new URL('../src/web/assets.ts', import.meta.url);

/** @param {string} text */
const literal = (text) => `\`${text.replace(/[\\`]|\$\{/g, '\\$&')}\``;

export function embedAssets() {
  const entries = readdirSync(folder)
    .toSorted()
    .map((name) => `  '${name}': ${literal(readFileSync(new URL(name, folder), 'utf8'))},\n`);
  const module = `// Made by scripts/embed-web-assets.js from src/web/browser; not to be changed here.

/** The files of the pages, by name. */
export const assets = {
${entries.join('')}} as const;

export type AssetName = keyof typeof assets;
`;
  writeFileSync(target, module);
}

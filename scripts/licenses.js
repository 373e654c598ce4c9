// Writes the licenses of the packages whose code is part of a bundle, which have to go with it.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nearest folder above a module that holds a named package. */
function packageOf(module) {
  for (let folder = dirname(module); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (existsSync(path)) {
      const manifest = JSON.parse(readFileSync(path, 'utf8'));
      if (manifest.name && manifest.version) return { folder, ...manifest };
    }
  }
  throw new Error(`no package holds ${module}`);
}

/**
 * @param {readonly string[]} modules the files of a bundle, as the bundler names them
 * @param {string} target the file to write
 */
export function writeLicenses(modules, target) {
  const bundled = new Map();
  for (const module of modules.filter((each) => each.includes('/node_modules/'))) {
    const found = packageOf(module.replace(/^\0/, '').replace(/\?.*$/, ''));
    bundled.set(`${found.name} ${found.version}`, found);
  }
  const sections = [...bundled.keys()]
    .toSorted((a, b) => a.localeCompare(b))
    .map((title) => {
      const { folder, license } = bundled.get(title);
      const file = readdirSync(folder).find((name) => /^licen[cs]e\b/i.test(name));
      if (!file) throw new Error(`${title} (${license}) has no license file to ship`);
      return `## ${title}\n\nLicense: ${license}\n\n\`\`\`\n${readFileSync(join(folder, file), 'utf8').trim()}\n\`\`\`\n`;
    });
  const introduction =
    'The command line `require-api-key` contains code of these packages. The middleware contains none.';
  writeFileSync(
    target,
    `# Licenses of bundled packages\n\n${introduction}\n\n${sections.join('\n')}`,
  );
}

import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const sources = [
  ...readdirSync('src/cli/doctor').map((name) => `src/cli/doctor/${name}`),
  'src/cli/database/schema-state.ts',
]
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

const [, section = ''] =
  /\n## `doctor`\n(.*?)\n## /s.exec(readFileSync('docs/command-line.md', 'utf8')) ?? [];

it('each code of doctor -> a row of its own in the documents, and no row for anything else', () => {
  const documented = [...section.matchAll(/^\| `(\w+)` /gm)].map(([, code]) => code!);
  const literal = /\b(?:code: |find\(\s*(?:'(?:error|warning)',\s*)?)'(?!error'|warning')(\w+)'/g;
  const found = new Set([...sources.matchAll(literal)].map(([, code]) => code!));
  expect(documented).toHaveLength(new Set(documented).size);
  expect([...found].filter((code) => !documented.includes(code))).toEqual([]);
  // Made of parts: the kind of mistake in a key, and whether it is one key or a list.
  const composed = 'short_key sample_key mistyped_key shared_key broken_list broken_key';
  for (const code of [...composed.split(' '), 'byte_order_mark', 'readers_differ']) found.add(code);
  expect(documented.filter((code) => !found.has(code))).toEqual([]);
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).flatMap((name) =>
    name.endsWith('.md') ? [`docs/${name}`] : [],
  ),
];

/** The anchors that GitHub gives the headings of a document. */
function anchorsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replaceAll(/^```[^]*?^```/gm, '');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('links in the documents', () => {
  it.each(documents)(
    '%s -> each leads to a file that is there, and to one of its headings',
    (file) => {
      for (const [, target] of readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
        const [path, anchor] = target!.split('#') as [string, string?];
        const found = path === '' ? file : join(dirname(file), path);
        expect(existsSync(found), `${file} -> ${target}`).toBe(true);
        if (anchor !== undefined)
          expect(anchorsOf(found), `${file} -> ${target}`).toContain(anchor);
      }
    },
  );

  it('a document in docs/ -> the README or another document leads to it', () => {
    const linked = new Set(
      documents.flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target]) =>
          join(dirname(file), target!),
        ),
      ),
    );
    const lost = documents.filter((file) => file.startsWith('docs/') && !linked.has(file));
    expect(lost).toEqual([]);
  });
});

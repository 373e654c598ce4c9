import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assets } from '../../src/web/assets.js';

const folder = 'src/web/browser';
const files = readdirSync(folder).map(
  (name) => [name, readFileSync(`${folder}/${name}`, 'utf8')] as const,
);

describe('the files of the pages', () => {
  it('the embedded module -> holds the files as they are; after a change, npm run build', () => {
    expect(Object.fromEntries(files)).toEqual(assets);
  });

  it.each(files)(
    '%s -> no address elsewhere, no inline script or style, no HTML made of text, no "owner"',
    (name, text) => {
      expect(text.replace('http://www.w3.org/2000/svg', '')).not.toMatch(
        /https?:\/\/|url\(|@import/,
      );
      // The word for whom a key belongs to is "user".
      expect(text).not.toMatch(/\bowners?\b/i);
      if (name.endsWith('.html'))
        expect(text).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=|javascript:/i);
      if (name.endsWith('.js')) {
        expect(text).not.toMatch(
          /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/,
        );
        expect(text).not.toMatch(
          /localStorage|sessionStorage|indexedDB|document\.cookie|\.style\b/,
        );
      }
    },
  );

  it('the dark colors -> set colors and shadows by name, and nothing else', () => {
    const styles = files.flatMap(([name, text]) => (name.endsWith('.css') ? [text] : []));
    const dark = styles.flatMap((text) => [
      ...text.matchAll(/@media \(prefers-color-scheme[^{]*\{\n {2}:root \{\n([^}]*)\n {2}\}\n\}/g),
    ]);
    const mentions = styles.flatMap((text) => text.match(/prefers-color-scheme/g) ?? []);
    expect(dark).toHaveLength(mentions.length);
    for (const line of dark.flatMap(([, lines]) => lines!.split('\n')))
      expect(line).toMatch(/^ {4}--(?!radius|sans|mono)[\w-]+: (#[0-9a-f]{6}|.*rgb\(.*\));$/);
  });
});

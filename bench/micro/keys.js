import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateApiKey } from '../library.js';

const folder = join(import.meta.dirname, '../dist/keys');

const generate = (count) => Array.from({ length: count }, () => generateApiKey().key);

/**
 * So many keys, always others; where making them takes long, those that another process has made.
 */
export function makeKeys(count) {
  if (count < 500_000) return generate(count);
  const file = join(folder, String(count));
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const own = `${file}.${process.pid}`;
    writeFileSync(own, generate(count).join(''));
    renameSync(own, file);
  }
  const text = readFileSync(file, 'latin1');
  const length = text.length / count;
  return Array.from({ length: count }, (_, at) => text.slice(at * length, (at + 1) * length));
}

export const userOf = (index) => `user${index}`;

/** `user:key` pairs, as they stand in `API_KEYS`. */
export const keyListOf = (keys) => keys.map((key, index) => `${userOf(index)}:${key}`).join(',');

import { fileURLToPath } from 'node:url';
import { isStorable } from './values.js';

/**
 * The path of a SQLite file given as a path, as `file:` and a path as it is written, or as a
 * `file://` URL. `undefined` if none is named: SQLite's parameters behind a `?` are not known here,
 * and would become a part of the name.
 */
export function filePathOf(address: string): string | undefined {
  const path = /^file:/i.test(address) ? pathIn(address) : address;
  const isPath = path !== undefined && path.trim() !== '' && path !== ':memory:';
  return isPath && isStorable(path) ? path : undefined;
}

function pathIn(address: string): string | undefined {
  const path = address.slice('file:'.length);
  if (path.includes('?')) return undefined;
  if (!path.startsWith('//')) return path;
  try {
    return path.includes('#') ? undefined : fileURLToPath(address);
  } catch {
    // It has a host, or a "%" that encodes nothing.
    return undefined;
  }
}

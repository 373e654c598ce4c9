import { Failure } from '../failure.js';
import { linesOf } from '../values/decode-text.js';
import { entryOf, unreadable, type ImportEntry } from './import-entry.js';

const known = new Set(['user', 'key', 'digest', 'name', 'scopes', 'metadata']);
const expiryNames = new Set(['expiresAt', 'expires_at']);

/** The keys of a JSON array of objects. */
export function readJson(text: string): ImportEntry[] {
  const parsed = parse(text);
  if (!Array.isArray(parsed)) throw new Failure(notAnArray);
  const repeated = entriesWithRepeatedNames(text);
  return parsed.map((value: unknown, index) => {
    const place = `entry ${index + 1}`;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return unreadable(place, 'is not an object with "user" and "key"');
    if (repeated.has(index)) return unreadable(place, 'has a name twice');
    return readObject(place, value);
  });
}

const notAnArray = 'the file is not a JSON array of objects with "user" and "key"';

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Never the parser's message: it quotes a part of the text, which holds the keys.
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    const line = position && linesOf(text.slice(0, Number(position))).length;
    const where = line === undefined ? '' : `: line ${line} cannot be read`;
    throw new Failure(`${notAnArray}${where}`);
  }
}

function readObject(place: string, value: object): ImportEntry {
  const given = Object.entries(value).filter(([, each]) => each !== null);
  const [expiry, ...more] = given.filter(([name]) => expiryNames.has(name));
  const rest = given.filter(([name]) => !expiryNames.has(name));
  if (more.length > 0) return unreadable(place, 'has "expiresAt" twice');
  if (!rest.every(([name]) => known.has(name))) {
    const problem =
      'has an unknown name; known are user, key, digest, name, scopes, expiresAt and metadata';
    return unreadable(place, problem);
  }
  return entryOf(place, { ...Object.fromEntries(rest), expiresAt: expiry?.[1] });
}

/**
 * Finds objects of the array that have a name twice. `JSON.parse` only keeps the last value, so a
 * key would be lost silently.
 *
 * @param text JSON that has been parsed
 */
function entriesWithRepeatedNames(text: string): Set<number> {
  const found = new Set<number>();
  let names = new Set<string>();
  let entry = 0;
  let depth = 0;
  let isName = false;
  const pattern = /["[\]{},]/g;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [mark] = match;
    if (mark === '"') {
      const end = behindString(text, match.index);
      if (depth === 2 && isName) {
        const name = JSON.parse(text.slice(match.index, end)) as string;
        if (names.has(name)) found.add(entry);
        names.add(name);
      }
      isName = false;
      pattern.lastIndex = end;
    } else if (mark === ',') {
      if (depth === 1) entry++;
      isName = names !== notObject;
    } else if (mark === '{' || mark === '[') {
      depth++;
      if (depth === 2) names = mark === '{' ? new Set() : notObject;
      isName = mark === '{';
    } else {
      depth--;
      isName = false;
    }
  }
  return found;
}

/** Stands for the names of an array, which has none. */
const notObject = new Set<string>();

function behindString(text: string, start: number): number {
  let end = start + 1;
  while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

import { splitPair } from '../../sources/key-entries.js';
import type { ImportKeyOptions } from '../../manager/manager-options.js';
import { Failure } from '../failure.js';
import { count } from '../terminal/count.js';
import { parseInstant } from '../values/instant.js';
import { parseJson } from '../values/parse-json.js';
import { parseCsv, type CsvRow } from './csv.js';

/** One key to take over, as it stands in a file: not yet checked. */
export interface ImportEntry {
  /** Where it stands, for messages: `line 2`. */
  readonly place: string;
  readonly options: ImportKeyOptions;
  /** What could not be read of it. */
  readonly problem?: string;
}

/** Entries of JSON (an array of objects), of CSV with a header, or of lines of `user:key`, told apart by how the text begins. */
export function readEntries(text: string): ImportEntry[] {
  const content = text.replace(/^\uFEFF/, '');
  if (/^\s*[[{]/.test(content)) return readJson(content);
  const [first = ''] = content.trimStart().split(/\r?\n/, 1);
  return isCsvHeader(first) ? readCsv(content) : readLines(content);
}

function readLines(text: string): ImportEntry[] {
  return text
    .split(/\r?\n/)
    .map((line, index) => ({ line: line.trim(), place: `line ${index + 1}` }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ line, place }) => {
      const { user, key } = splitPair(line);
      return { place, options: { user, key } };
    });
}

const isCsvHeader = (line: string) => {
  const names = headerOf(line.split(','));
  return names.includes('user') && (names.includes('key') || names.includes('digest'));
};

const headerOf = (fields: readonly string[]) =>
  fields.map((field) =>
    field
      .trim()
      .replaceAll(/^"|"$/g, '')
      .toLowerCase()
      .replaceAll(/[^a-z]/g, ''),
  );

const known = new Set(['user', 'key', 'digest', 'name', 'scopes', 'expiresat', 'metadata']);

function readCsv(text: string): ImportEntry[] {
  const rows = parseCsv(text);
  if ('unclosedLine' in rows)
    throw new Failure(
      `line ${rows.unclosedLine}: a quote is not closed, or stands inside a field without quotes`,
    );
  const [head, ...rest] = rows as [CsvRow, ...CsvRow[]];
  const names = headerOf(head.fields);
  const unknown = names.findIndex((name) => !known.has(name));
  if (unknown !== -1) {
    throw new Failure(
      `line ${head.line}: column ${unknown + 1} is unknown; known are user, key, digest, name, scopes, expires_at and metadata`,
    );
  }
  return rest.map(({ line, fields }) => {
    const place = `line ${line}`;
    if (fields.length !== names.length) {
      const problem = `has ${count(fields.length, 'field')}, but the header has ${names.length}`;
      return { place, options: { user: '' }, problem };
    }
    const values = Object.fromEntries(
      names.map((name, index) => [name, fields[index] || undefined]),
    );
    if (values['scopes']?.includes(',')) {
      return {
        place,
        options: { user: '' },
        problem: 'has a comma in its scopes: put blanks between them',
      };
    }
    const metadata = values['metadata'] === undefined ? undefined : parseJson(values['metadata']);
    return entryOf(place, { ...values, metadata, scopes: values['scopes']?.split(/\s+/) });
  });
}

function readJson(text: string): ImportEntry[] {
  const parsed = parseJson(text);
  if (!Array.isArray(parsed))
    throw new Failure('the file is not a JSON array of objects with "user" and "key"');
  return parsed.map((value: unknown, index) => {
    const place = `entry ${index + 1}`;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return { place, options: { user: '' }, problem: 'is not an object with "user" and "key"' };
    }
    const { expiresAt, ...rest } = value as Record<string, unknown>;
    const unknown = Object.keys(rest).some((name) => !known.has(name));
    if (unknown) {
      const problem =
        'has an unknown name; known are user, key, digest, name, scopes, expiresAt and metadata';
      return { place, options: { user: '' }, problem };
    }
    return entryOf(place, { ...rest, expiresat: expiresAt });
  });
}

function entryOf(place: string, values: Readonly<Record<string, unknown>>): ImportEntry {
  const { expiresat, key, digest, ...rest } = values;
  const expiresAt = typeof expiresat === 'string' ? parseInstant(expiresat) : undefined;
  const options = {
    ...rest,
    key: typeof key === 'string' ? key.trim() : key,
    digest,
    expiresAt,
  } as unknown as ImportKeyOptions;
  if (expiresat != null && !expiresAt) {
    return { place, options, problem: 'has an expiry that is not a date such as 2027-01-31' };
  }
  return { place, options };
}

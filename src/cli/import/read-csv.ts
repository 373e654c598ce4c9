import { Failure } from '../failure.js';
import { count } from '../terminal/output.js';
import { parseJson } from '../values/parse-json.js';
import { parseCsv, type CsvRow } from './parse-csv.js';
import { entryOf, unreadable, type ImportEntry } from './import-entry.js';

const knownColumns = 'user, key, digest, name, scopes, expires_at and metadata';

const fieldOf = new Map([
  ...['user', 'key', 'digest', 'name', 'scopes', 'metadata'].map((name) => [name, name] as const),
  ['expires_at', 'expiresAt'],
  ['expiresat', 'expiresAt'],
]);

/** The names of the columns of a header. `undefined` for an unknown one. */
const columnsOf = (fields: readonly string[]) =>
  fields.map((field) => fieldOf.get(field.trim().toLowerCase().replaceAll(/[ -]/g, '_')));

/** Whether the fields of a line name what a CSV file must have. */
export function isHeader(fields: readonly string[]): boolean {
  const columns = columnsOf(fields);
  return columns.includes('user') && (columns.includes('key') || columns.includes('digest'));
}

/** The keys of CSV with a header. */
export function readCsv(text: string): ImportEntry[] {
  const rows = parseCsv(text);
  if ('unclosedLine' in rows) {
    throw new Failure(
      `line ${rows.unclosedLine}: a quote is not closed, or stands inside a field without quotes`,
    );
  }
  const [head, ...rest] = rows;
  if (!head) return [];
  const columns = mustBeColumns(head);
  return rest.map((row) => readRow(row, head, columns));
}

function mustBeColumns({ line, fields }: CsvRow): string[] {
  if (!isHeader(fields)) {
    throw new Failure(
      `line ${line} is not a header that names user, and key or digest: write one, such as ` +
        `user,key; known are ${knownColumns}`,
    );
  }
  const columns = columnsOf(fields);
  const unknown = columns.indexOf(undefined);
  if (unknown !== -1) {
    throw new Failure(
      `line ${line}: column ${unknown + 1} is unknown; known are ${knownColumns}: rename it or ` +
        'leave it out',
    );
  }
  const repeated = columns.findIndex((column, index) => columns.indexOf(column) < index);
  if (repeated !== -1) {
    const first = columns.indexOf(columns[repeated]);
    throw new Failure(
      `line ${line}: columns ${first + 1} and ${repeated + 1} have the same name: rename or ` +
        'leave out one',
    );
  }
  return columns as string[];
}

function readRow({ line, fields }: CsvRow, head: CsvRow, columns: readonly string[]): ImportEntry {
  const place = `line ${line}`;
  if (fields[0]?.startsWith('#'))
    return unreadable(place, 'begins with "#": CSV has no comments, so delete the line');
  if (fields.length !== columns.length) {
    const problem = `has ${count(fields.length, 'field')}, but the header has ${columns.length}`;
    return unreadable(place, problem);
  }
  if (fields.every((field, index) => field === head.fields[index]))
    return unreadable(place, 'is the header again: delete it');
  if (fields.some((field) => /^(NULL|null|\(null\)|\\N)$/.test(field)))
    return unreadable(place, 'has NULL in a field: leave the field empty');
  const { metadata, scopes, ...values } = Object.fromEntries(
    columns.map((column, index) => [column, fields[index] || undefined]),
  );
  if (scopes?.includes(',')) {
    return unreadable(place, 'has a comma in its scopes: put blanks between them');
  }
  if (scopes !== undefined && /^[[{(].*[\]})]$/.test(scopes))
    return unreadable(place, 'has brackets around its scopes: delete them');
  return entryOf(place, {
    ...values,
    // Not JSON: the text itself is what is refused.
    metadata: metadata === undefined ? undefined : (parseJson(metadata) ?? metadata),
    scopes: scopes?.split(/\s+/),
  });
}

import { Failure } from '../failure.js';
import { linesOf } from '../values/decode-text.js';
import { parseCsv } from './parse-csv.js';
import type { ImportEntry } from './import-entry.js';
import { isHeader, readCsv } from './read-csv.js';
import { readJson } from './read-json.js';
import { readPairs } from './read-pairs.js';

export const fileFormats = ['csv', 'pairs', 'json'] as const;

/** CSV with a header, lines of `user:key`, or a JSON array of objects. */
export type FileFormat = (typeof fileFormats)[number];

/**
 * The entries of a file.
 *
 * @param declared its form, if given. Otherwise the text must prove it
 * @throws {Failure} if the form is not certain. A wrong guess could store keys as users, which
 *   many people can read.
 */
export function readEntries(text: string, declared?: FileFormat): ImportEntry[] {
  const content = text.replace(/^\uFEFF/, '');
  const lines = linesOf(content);
  assertUndamaged(lines);
  const format = declared ?? formOf(lines);
  if (format === 'csv') assertCsvBegins(lines);
  const entries =
    format === 'json'
      ? readJson(content)
      : format === 'csv'
        ? readCsv(content)
        : readPairs(content, declared !== undefined);
  if (entries.length === 0) throw new Failure('there is no key in the file');
  return entries;
}

function assertUndamaged(lines: readonly string[]): void {
  const damaged = lines.findIndex((line) => /[\uFFFD\uFEFF]/.test(line));
  if (damaged === -1) return;
  throw new Failure(
    lines[damaged]!.includes('\uFFFD')
      ? `line ${damaged + 1} has a character that was lost in a conversion (U+FFFD): export ` +
          'the file again, as UTF-8'
      : `line ${damaged + 1} has a byte order mark, as in files that were joined: delete it`,
  );
}

function formOf(lines: readonly string[]): FileFormat {
  const first = lines.findIndex((line) => line.trim() !== '');
  if (first === -1) throw new Failure('the file is empty');
  const line = lines[first]!;
  if (/^\s*[[{]/.test(line)) return 'json';
  if (isCsvHeader(line) || /^\s*"?sep=/i.test(line)) return 'csv';
  const header = lines.findIndex((each) => isCsvHeader(each.replace(/^\s*#/, '')));
  if (header !== -1) {
    throw new Failure(
      header === first
        ? `line ${header + 1} is a header behind a "#": delete the "#"`
        : `line ${header + 1} is a CSV header, which has to be the first line: delete what ` +
            'stands above it',
    );
  }
  assertNoColumns(lines);
  return 'pairs';
}

const isCsvHeader = (line: string) => isHeader(fieldsOf(line));

/** The fields of a line that is CSV by itself, without its quotes if it is not. */
function fieldsOf(line: string): readonly string[] {
  const rows = parseCsv(line);
  return 'unclosedLine' in rows ? line.split(',') : (rows[0]?.fields ?? []);
}

const separators = [';', '\t', '|'];

/**
 * @throws {Failure} if a line above the header, or in its place, says that the columns are not
 * split by commas.
 */
function assertCsvBegins(lines: readonly string[]): void {
  const first = lines.findIndex((line) => line.trim() !== '');
  const line = lines[first] ?? '';
  if (/^\s*"?sep=/i.test(line))
    throw new Failure(
      `line ${first + 1} names a separator, which CSV does not allow: delete it, and put commas ` +
        'between the columns',
    );
  if (/^\s*#/.test(line))
    throw new Failure(`line ${first + 1} is a comment, which CSV does not allow: delete it`);
  assertCommas(line, first + 1);
}

function assertCommas(line: string, number: number): void {
  const separator = separators.find((each) => isHeader(line.replaceAll('"', '').split(each)));
  if (separator === undefined) return;
  const shown = separator === '\t' ? 'tabs' : `"${separator}"`;
  throw new Failure(
    `line ${number} is a header with ${shown} between the columns: put commas there, in all lines`,
  );
}

/**
 * @throws {Failure} if the first line that is no comment has columns, so that it lacks a header.
 */
function assertNoColumns(lines: readonly string[]): void {
  const first = lines.findIndex((line) => !/^\s*(#|$)/.test(line));
  const line = lines[first] ?? '';
  assertCommas(line, first + 1);
  const separator = [',', ...separators].find((each) => line.includes(each));
  if (separator === undefined) return;
  const place = `line ${first + 1} has ${separator === '\t' ? 'tabs' : `"${separator}"`} in it`;
  const header = 'user and key or digest, such as user,key';
  throw new Failure(
    separator === ','
      ? `${place} but is not a header that names ${header}: if the file is CSV, write that as ` +
          'its first line, with a name for each column'
      : `${place}: if the file is a table, export it as CSV with commas and a header that ` +
          `names ${header}; if it is lines of user:key, add --format pairs`,
  );
}

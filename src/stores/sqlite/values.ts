import type { SqliteValue } from './driver.js';

/**
 * The earliest time that fits the text form: years of four digits, which SQLite's own functions
 * read too.
 */
const earliest = Date.parse('0001-01-01T00:00:00.000Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * A time as it is stored: `2026-11-29T22:33:35.123Z`. Times outside the years 1 to 9999 become
 * the first or last one.
 */
export const timeText = (date: Date): string =>
  new Date(Math.min(latest, Math.max(earliest, date.getTime()))).toISOString();

export const optionalTime = (date: Date | null | undefined): string | null =>
  date ? timeText(date) : null;

/** The current time as it is stored, as an SQL expression. */
export const nowSql = `strftime('%Y-%m-%dT%H:%M:%fZ', 'now')`;

/**
 * A time column as an SQL expression that can be compared: `datetime('now')` writes another form.
 */
export const timeSql = (column: string): string =>
  `case length(${column}) when 19 then replace(${column}, ' ', 'T') || '.000Z' else ${column} end`;

/** Reads a time. Anything else becomes an invalid date, which counts against a key. */
export function readTime(value: unknown): Date {
  if (typeof value !== 'string') return new Date(Number.NaN);
  return new Date(value.length === 19 ? `${value.replace(' ', 'T')}.000Z` : value);
}

/** An optional time of a record. Left out if there is none. */
export function instant<Name extends string>(name: Name, value: unknown): { [N in Name]?: Date } {
  return (value == null ? {} : { [name]: readTime(value) }) as { [N in Name]?: Date };
}

/** An optional text of a record. Left out if there is none. */
export function text<Name extends string>(name: Name, value: unknown): { [N in Name]?: string } {
  return (typeof value === 'string' ? { [name]: value } : {}) as { [N in Name]?: string };
}

/** Reads JSON. A value broken by hand stays broken: the manager checks it. */
export function readJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** Allowed addresses as they are stored. No list and `[]` both allow any address. */
export const addressesText = (list: readonly string[] | undefined): string | null =>
  list && list.length > 0 ? JSON.stringify(list) : null;

/** Allowed addresses of a record. Left out if any address may use the key. */
export function addresses(value: unknown): { allowedAddresses?: readonly string[] } {
  const found = readJson(value);
  const isAny = found == null || (Array.isArray(found) && found.length === 0);
  return isAny ? {} : { allowedAddresses: found as string[] };
}

/**
 * A text to store.
 *
 * @throws {Error} for a NUL character, which ends a text in SQLite's functions, and for half of a
 *   surrogate pair, which drivers replace by another character
 */
export function storable(value: string): string;
export function storable(value: string | null): string | null;
export function storable(value: string | null): SqliteValue {
  if (value !== null && !isStorable(value))
    throw new Error('SQLite cannot store a NUL character or half of a surrogate pair');
  return value;
}

/** Whether a table can hold the text. Any other text is found nowhere. */
export const isStorable = (value: string): boolean => !/[\0\ud800-\udfff]/u.test(value);

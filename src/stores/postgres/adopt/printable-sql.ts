import { quoteLiteral } from '../quote.js';

/**
 * A text of the old table with a blank for each control character, which could forge a line in
 * logs and lists.
 */
export const printableSql = (column: string): string =>
  `pg_catalog.regexp_replace(${column}::text collate "C", ${quoteLiteral('[\\u0001-\\u001f\\u007f-\\u009f]')}, ' ', 'g')`;

/** Whether the printable text is empty or blank: an SQL condition. */
export const isBlankSql = (column: string): string =>
  `(coalesce(pg_catalog.btrim(${printableSql(column)}), '') = '')`;

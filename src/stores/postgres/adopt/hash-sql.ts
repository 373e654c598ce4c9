import { quoteLiteral } from '../quote.js';

/**
 * The text of the key of row `k`. In collation `C`, letters and ranges of characters are those of
 * ASCII.
 */
export const keySql = (k: string): string => `${k}.api_key::text collate "C"`;

/** Whether the key of row `k` is a tagged digest, in upper or lower case: an SQL condition. */
export const isDigestSql = (k: string): string =>
  `(pg_catalog.length(${keySql(k)}) = 71 and ${keySql(k)} ~* '^sha256:[0-9a-f]+$')`;

/** Whether the key of row `k` could be a digest without its tag: an SQL condition. */
export const isDigestLikeSql = (k: string): string =>
  `(pg_catalog.length(${keySql(k)}) = 64 and ${keySql(k)} ~* '^[0-9a-f]+$')`;

/**
 * The digest of a plaintext key, made in the database so that keys never leave it. Hashes the
 * exact text, blanks included. A digest stays as it is: as a key, it would let in anyone who has
 * read the table.
 */
export const hashSql = (k: string): string =>
  `case when ${isDigestSql(k)} then pg_catalog.lower(${keySql(k)})
    else 'sha256:' || pg_catalog.encode(
      pg_catalog.sha256(pg_catalog.convert_to(${k}.api_key::text, 'UTF8')), 'hex') end`;

/**
 * Whether a client could present the key of row `k`, as in `isPresentable`: 1 to 512 characters
 * of visible ASCII without a comma. An SQL condition.
 */
export const presentableSql = (k: string): string =>
  `(pg_catalog.length(${keySql(k)}) <= 512 and ${keySql(k)} ~ '^[!-+.-~-]+$')`;

/**
 * A text of the old table with a blank for each control character, which could forge a line in
 * logs and lists.
 */
export const printableSql = (column: string): string =>
  `pg_catalog.regexp_replace(${column}::text collate "C",
    ${quoteLiteral('[\\u0001-\\u001f\\u007f-\\u009f]')}, ' ', 'g')`;

/** Whether the printable text is empty or blank: an SQL condition. */
export const isBlankSql = (column: string): string =>
  `(coalesce(pg_catalog.btrim(${printableSql(column)}), '') = '')`;

import { keySql } from './hash-sql.js';

/**
 * Whether a client could present the key of row `k`, as in `isPresentable`: 1 to 512 characters
 * of visible ASCII without a comma. An SQL condition.
 */
export const presentableSql = (k: string): string =>
  `(pg_catalog.length(${keySql(k)}) <= 512 and ${keySql(k)} ~ '^[!-+.-~-]+$')`;

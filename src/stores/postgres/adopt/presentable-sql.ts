/**
 * Whether a client could present the key of row `k`, as `isPresentable` says it: 1 to 512 characters of visible ASCII without a comma.
 * An SQL condition; in the collation in which ranges of characters are those of their codes.
 */
export const presentableSql = (k: string): string =>
  `(length(${k}.api_key::text) <= 512 and ${k}.api_key::text collate "C" ~ '^[!-+.-~-]+$')`;

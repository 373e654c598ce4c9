/** An instant as a parameter; {@link instantSql} reads it. */
export const instantParameter = (date: Date | undefined | null): string | null =>
  date ? String(date.getTime()) : null;

/**
 * Reads such a parameter. Milliseconds since 1970 rather than ISO text: PostgreSQL does not read the signed years that JavaScript
 * writes beyond 9999.
 */
export const instantSql = (parameter: string): string =>
  `pg_catalog.to_timestamp(${parameter}::text::float8 / 1000::float8)`;

export const scopesSql = (parameter: string): string =>
  `array(select pg_catalog.jsonb_array_elements_text(${parameter}::text::jsonb))`;

/** No addresses, and an empty list of them, stand for any address: null. */
export const addressesParameter = (addresses: readonly string[] | undefined): string | null =>
  addresses?.length ? JSON.stringify(addresses) : null;

/** Reads such a parameter. */
export const addressesSql = (parameter: string): string =>
  `(case when ${parameter}::text is not null then ${scopesSql(parameter)} end)`;

export const metadataSql = (parameter: string): string => `${parameter}::text::jsonb`;

/** A text to search for. PostgreSQL refuses NUL characters, so no row has one: as null it finds none. */
export const searchParameter = (text: string): string | null => (text.includes('\0') ? null : text);

/** Texts as one parameter, for `$1::text::text[]`. Those with a NUL character are left out, as no row has one. */
export const textsParameter = (texts: readonly string[]): string =>
  `{${texts
    .filter((text) => !text.includes('\0'))
    .map((text) => `"${text.replace(/[\\"]/g, '\\$&')}"`)
    .join(',')}}`;

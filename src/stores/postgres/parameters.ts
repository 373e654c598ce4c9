/** An instant as a parameter for {@link instantSql}. */
export const instantParameter = (date: Date | undefined | null): string | null =>
  date ? String(date.getTime()) : null;

/**
 * Reads such a parameter: milliseconds since 1970. PostgreSQL cannot read the signed years that
 * JavaScript writes in ISO texts beyond 9999.
 */
export const instantSql = (parameter: string): string =>
  `pg_catalog.to_timestamp(${parameter}::text::float8 / 1000::float8)`;

export const scopesSql = (parameter: string): string =>
  `array(select pg_catalog.jsonb_array_elements_text(${parameter}::text::jsonb))`;

/** A list of addresses as a parameter. No list and an empty one both allow any address: null. */
export const addressesParameter = (addresses: readonly string[] | undefined): string | null =>
  addresses?.length ? JSON.stringify(addresses) : null;

/** Reads such a parameter. */
export const addressesSql = (parameter: string): string =>
  `(case when ${parameter}::text is not null then ${scopesSql(parameter)} end)`;

export const metadataSql = (parameter: string): string => `${parameter}::text::jsonb`;

/**
 * A text to search for. PostgreSQL refuses NUL characters, so no row has one, and null finds
 * none.
 */
export const searchParameter = (text: string): string | null => (text.includes('\0') ? null : text);

/**
 * Texts as one parameter, for `$1::text::text[]`. Texts with a NUL character are left out,
 * because no row has one.
 */
export const textsParameter = (texts: readonly string[]): string =>
  `{${texts
    .filter((text) => !text.includes('\0'))
    .map((text) => `"${text.replace(/[\\"]/g, '\\$&')}"`)
    .join(',')}}`;

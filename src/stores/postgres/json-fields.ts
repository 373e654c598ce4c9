/**
 * A row as one JSON text. Every client reads it alike, even if an application has set its own
 * type parsers.
 */
export type JsonFields = Readonly<Record<string, unknown>>;

/** The latest instant that a Date can hold, and minus the earliest, in milliseconds. */
const maxDateMs = 8.64e15;

/**
 * A time inside such a text, as an SQL expression. Before PostgreSQL 14 `extract` returns another
 * type.
 */
export const milliseconds = (column: string): string =>
  `(extract(epoch from ${column}) operator(pg_catalog.*) 1000)`;

/** An optional text. Empty if there is none. */
export function text<Name extends string>(
  name: Name,
  fields: JsonFields,
): { [N in Name]?: string } {
  const value = fields[name];
  return (typeof value === 'string' ? { [name]: value } : {}) as { [N in Name]?: string };
}

/** An optional list. Left out if it is empty. */
export function texts<Name extends string>(
  name: Name,
  fields: JsonFields,
): { [N in Name]?: string[] } {
  const value = fields[name];
  const isGiven = Array.isArray(value) && value.length > 0;
  return (isGiven ? { [name]: value as string[] } : {}) as { [N in Name]?: string[] };
}

/** An optional time. Left out if there is none. */
export function instant<Name extends string>(
  name: Name,
  fields: JsonFields,
): { [N in Name]?: Date } {
  const date = dateOf(fields[name]);
  return (date ? { [name]: date } : {}) as { [N in Name]?: Date };
}

/** An optional end. Left out for `infinity` too, which is how PostgreSQL writes "never". */
export function end<Name extends string>(name: Name, fields: JsonFields): { [N in Name]?: Date } {
  return fields[name] === 'Infinity' ? {} : instant(name, fields);
}

/**
 * Infinite and far instants become the earliest or latest that a Date can hold. `-infinity` is
 * past, not absent.
 */
function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  return new Date(Math.min(maxDateMs, Math.max(-maxDateMs, Math.round(Number(value)))));
}

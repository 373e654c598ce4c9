/** What a row says in one JSON text, which reads the same through every client, whatever parsers an application has set. */
export type JsonFields = Readonly<Record<string, unknown>>;

/** The latest and the earliest instant that a Date can hold, in milliseconds. */
const maxDateMs = 8.64e15;

/** A time as it is put into such a text, as an SQL expression. What `extract` gives has another type before PostgreSQL 14. */
export const milliseconds = (column: string): string =>
  `(extract(epoch from ${column}) operator(pg_catalog.*) 1000)`;

/** An optional text; nothing where there is none. */
export function text<Name extends string>(
  name: Name,
  fields: JsonFields,
): { [N in Name]?: string } {
  const value = fields[name];
  return (typeof value === 'string' ? { [name]: value } : {}) as { [N in Name]?: string };
}

/** An optional list; nothing where it is empty. */
export function texts<Name extends string>(
  name: Name,
  fields: JsonFields,
): { [N in Name]?: string[] } {
  const value = fields[name];
  const isGiven = Array.isArray(value) && value.length > 0;
  return (isGiven ? { [name]: value as string[] } : {}) as { [N in Name]?: string[] };
}

/** An optional time; nothing where there is none. */
export function instant<Name extends string>(
  name: Name,
  fields: JsonFields,
): { [N in Name]?: Date } {
  const date = dateOf(fields[name]);
  return (date ? { [name]: date } : {}) as { [N in Name]?: Date };
}

/** An optional end; nothing also for `infinity`, which is how PostgreSQL writes "never". */
export function end<Name extends string>(name: Name, fields: JsonFields): { [N in Name]?: Date } {
  return fields[name] === 'Infinity' ? {} : instant(name, fields);
}

/** Infinite and far instants become the outermost ones that a Date can hold: `-infinity` is past, not absent. */
function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  return new Date(Math.min(maxDateMs, Math.max(-maxDateMs, Math.round(Number(value)))));
}

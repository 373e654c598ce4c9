/**
 * An instant in ISO 8601, as `toISOString` writes it, on an existing day. Otherwise an invalid
 * date, which no check accepts.
 */
function instantOf(text: string): Date {
  const date = new Date(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) ? text : Number.NaN);
  return date.getUTCDate() === Number(text.slice(8, 10)) ? date : new Date(Number.NaN);
}

/** Turns texts into dates, which JSON lacks. A text that is no date is refused with the rest. */
export function withInstants(
  body: Readonly<Record<string, unknown>>,
  ...names: readonly string[]
): Readonly<Record<string, unknown>> {
  const read: Record<string, unknown> = { ...body };
  for (const name of names) {
    const value = read[name];
    if (typeof value === 'string') read[name] = instantOf(value);
  }
  return read;
}

/** An instant in ISO 8601 as `toISOString` writes it, of a day that there is; else one that no check lets pass. */
function instantOf(text: string): Date {
  const date = new Date(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) ? text : Number.NaN);
  return date.getUTCDate() === Number(text.slice(8, 10)) ? date : new Date(Number.NaN);
}

/** JSON has no dates: a text in the place of one becomes one, and a text that is none is refused with the rest. */
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

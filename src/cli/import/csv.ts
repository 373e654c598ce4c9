export interface CsvRow {
  /** The line on which it begins. */
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * Rows by RFC 4180: commas, quotes around what holds one, a quote doubled within. Written out because what is needed is small, and
 * a message has to name the line of the file. Empty lines are left out.
 *
 * @returns the line of a quote that is never closed instead, where there is one
 */
export function parseCsv(text: string): CsvRow[] | { readonly unclosedLine: number } {
  const rows: CsvRow[] = [];
  let line = 1;
  let row: { line: number; fields: string[] } = { line, fields: [] };
  const endRow = () => {
    if (row.fields.length > 1 || row.fields[0] !== '') rows.push(row);
    row = { line, fields: [] };
  };
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  while (pattern.lastIndex < text.length || row.fields.length > 0) {
    const match = pattern.exec(text);
    if (!match) return { unclosedLine: line };
    const [whole, quoted, bare, end] = match;
    row.fields.push(quoted?.replaceAll('""', '"') ?? bare!.trim());
    line += whole.split(/\r\n|\n|\r/).length - 1;
    if (end !== ',') endRow();
    if (end === '') break;
  }
  return rows;
}

export interface CsvRow {
  /** The line on which it begins. */
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * Parses rows by RFC 4180: commas, quotes around fields that hold one, a quote doubled within.
 * Written here because little is needed, and messages must name the line of the file. Empty lines
 * are left out.
 *
 * @returns the line of an unclosed quote instead, if there is one
 */
export function parseCsv(text: string): CsvRow[] | { readonly unclosedLine: number } {
  const rows: CsvRow[] = [];
  let line = 1;
  let row: { line: number; fields: string[] } = { line, fields: [] };
  const endRow = () => {
    if (row.fields.length > 1 || row.fields[0] !== '') rows.push(row);
    row = { line, fields: [] };
  };
  let start = 0;
  while (start < text.length || row.fields.length > 0) {
    const isQuoted = text[start] === '"';
    const behind = isQuoted ? behindQuotes(text, start) : behindBare(text, start);
    const end = behind === undefined ? undefined : endAt(text, behind);
    if (behind === undefined || end === undefined) return { unclosedLine: line };
    row.fields.push(
      isQuoted
        ? text.slice(start + 1, behind - 1).replaceAll('""', '"')
        : text.slice(start, behind).trim(),
    );
    line += text.slice(start, behind + end.length).split(/\r\n|\n|\r/).length - 1;
    start = behind + end.length;
    if (end !== ',') endRow();
    if (end === '') break;
  }
  return rows;
}

/**
 * The index after the quoted field that begins here, if it is closed. A loop, because a pattern
 * overflows the stack on a long field.
 */
function behindQuotes(text: string, start: number): number | undefined {
  let quote = text.indexOf('"', start + 1);
  while (quote !== -1 && text[quote + 1] === '"') quote = text.indexOf('"', quote + 2);
  return quote === -1 ? undefined : quote + 1;
}

function behindBare(text: string, start: number): number {
  const pattern = /[",\r\n]/g;
  pattern.lastIndex = start;
  return pattern.exec(text)?.index ?? text.length;
}

/** What ends a field here: a comma, a line break, or nothing at the end of the text. */
function endAt(text: string, index: number): string | undefined {
  return index === text.length
    ? ''
    : [',', '\r\n', '\n', '\r'].find((end) => text.startsWith(end, index));
}

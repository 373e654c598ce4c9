import { plain } from './output.js';

export interface Column {
  readonly title: string;
  /** The least useful width. Default: the width of its widest cell. */
  readonly least?: number;
  /** Left out if the terminal is too narrow, the highest number first. Default: always shown. */
  readonly spare?: number;
}

interface Placed extends Column {
  readonly index: number;
  width: number;
}

const gap = 2;
/**
 * Formats rows under their titles, without a frame.
 *
 * @param available the width in columns of the terminal. Default: that of the terminal, and as wide
 *   as needed in a pipe
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  available = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY,
): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(plain))];
  const placed = columns.map((column, index) => ({ ...column, index, width: gap }));
  for (const line of lines)
    for (const each of placed)
      each.width = Math.max(each.width, widthOf(line[each.index] ?? '') + gap);
  const shown = fit(placed, available);
  return lines.flatMap((line) => layOut(line, shown)).join('\n');
}

/** One row, on as many lines as its highest cell needs. */
function layOut(row: readonly string[], columns: readonly Placed[]): string[] {
  const cells = columns.map(({ index, width }) => wrap(row[index] ?? '', width - gap));
  const height = Math.max(...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    columns
      .map(({ width }, column) => {
        const text = cells[column]![line] ?? '';
        return text + ' '.repeat(width - widthOf(text));
      })
      .join('')
      .trimEnd(),
  );
}

/** The lines of a cell. A word that is wider than its column is cut, and nothing is left out. */
function wrap(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (widthOf(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const character of charactersOf(word)) {
      if (line !== '' && widthOf(line + character) > width) {
        lines.push(line);
        line = '';
      }
      line += character;
    }
  }
  return [...lines, line];
}

/** Made at first use: making one takes a tenth of a start of the program. */
let segmenter: Intl.Segmenter | undefined;

function charactersOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Takes two columns of a terminal: an emoji, or a character of East Asia. */
const isWide =
  /\p{Emoji_Presentation}|(?![\uff61-\uffdc])[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const isInvisible = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** How many columns of a terminal a text takes. */
function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return charactersOf(text).reduce(
    (sum, each) => sum + (isInvisible.test(each) ? 0 : isWide.test(each) ? 2 : 1),
    0,
  );
}

/**
 * Narrows the widest columns first. If none can get narrower, the most dispensable one is left
 * out.
 */
function fit(columns: readonly Placed[], available: number): Placed[] {
  const shown = columns.map((column) => ({ ...column }));
  const excess = () => shown.reduce((sum, { width }) => sum + width, -gap) - available;
  const most = (each: Placed) =>
    each.width - Math.min(each.width, (each.least ?? each.width) + gap);
  while (excess() > 0) {
    const widest = shown.filter((each) => most(each) > 0).toSorted((a, b) => b.width - a.width)[0];
    if (widest) {
      widest.width--;
      continue;
    }
    const spare = shown
      .filter((each) => each.spare !== undefined)
      .toSorted((a, b) => b.spare! - a.spare!)[0];
    if (!spare) return shown;
    shown.splice(shown.indexOf(spare), 1);
    // The others get back the width that they gave up.
    for (const each of shown) each.width = columns[each.index]!.width;
  }
  return shown;
}

/** Names and values below each other. */
export function formatPairs(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length)) + gap;
  return pairs.map(([name, value]) => `${name.padEnd(width)}${plain(value)}`).join('\n');
}

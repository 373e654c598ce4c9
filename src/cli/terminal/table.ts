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
const frameless = Object.fromEntries(
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle'
    .split(' ')
    .map((name) => [name, '']),
);

const style = { 'padding-left': 0, 'padding-right': gap, head: [], border: [], compact: true };

/**
 * Formats rows under their titles, without a frame. Lines break to fit the terminal. In a pipe
 * they are as wide as needed.
 */
export async function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(plain))];
  if (!process.stdout.isTTY) {
    const table = new Table({ chars: frameless, style });
    table.push(...lines);
    return withoutTails(table.toString());
  }
  const natural = (index: number) => {
    const measure = new Table({ chars: frameless, style });
    measure.push(...lines.map((line) => [line[index]]));
    return measure.width;
  };
  const placed = columns.map((column, index) => ({ ...column, index, width: natural(index) }));
  const shown = fit(placed, process.stdout.columns);
  const table = new Table({
    chars: frameless,
    style,
    colWidths: shown.map(({ width }) => width),
    wordWrap: true,
  });
  table.push(
    ...lines.map((line) =>
      shown.map(({ index, width }) => {
        const content = line[index] ?? '';
        // A word that is longer than its column would be cut off at a word's boundary.
        return {
          content,
          wrapOnWordBoundary: content.split(' ').every((word) => word.length <= width - gap),
        };
      }),
    ),
  );
  return withoutTails(table.toString());
}

const withoutTails = (text: string) => text.replaceAll(/ +$/gm, '');

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

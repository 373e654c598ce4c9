import { Option, type Command } from 'commander';
import type { GlobalOptions } from '../command.js';
import { print, printJson, say } from '../terminal/output.js';
import { formatTable, type Column } from '../terminal/table.js';
import { integerArgument } from '../values/arguments.js';

export interface PageOptions extends GlobalOptions {
  readonly limit: number;
  readonly all?: true;
}

/** How much of a list is shown. */
export function addPageOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--limit <number>', 'at most this many')
        .argParser(integerArgument(1, 1_000_000))
        .default(100),
    )
    .option('--all', 'all of them, without a limit');
}

interface Page<Item> {
  /** The newest, at most this many. */
  readonly read: (limit: number) => Promise<readonly Item[]>;
  readonly columns: readonly Column[];
  readonly rowOf: (item: Item) => string[];
  readonly jsonOf: (item: Item) => object;
  /** The message for an empty list. */
  readonly none: string;
}

/** Prints a list as a table or as JSON, and says if there is more. */
export async function printPage<Item>(
  { json, all, limit: asked }: PageOptions,
  { read, columns, rowOf, jsonOf, none }: Page<Item>,
): Promise<void> {
  const limit = all ? Number.POSITIVE_INFINITY : asked;
  // One more than asked for shows whether there are more.
  const found = await read(limit + 1);
  const items = found.slice(0, limit);
  if (json) await printJson(items.map(jsonOf));
  else if (items.length > 0) await print(formatTable(columns, items.map(rowOf)));
  else say(none);
  if (found.length > limit)
    say(`Only the newest ${limit} are shown; for more give --all, or a higher --limit.`);
}

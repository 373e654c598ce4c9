import { Option, type Command } from 'commander';
import { dayMs } from '../../lib/durations.js';
import { dayOf } from '../../manager/query-options.js';
import type { KeyUsage } from '../../stores/key-usage.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { unknownKey } from '../records/unknown-id.js';
import { print, printJson, say } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';
import { integerArgument } from '../values/arguments.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly user?: string;
  readonly days: number;
}

const columns = [
  { title: 'DAY (UTC)' },
  { title: 'ADMITTED' },
  { title: 'REFUSED' },
  { title: '', spare: 1 },
] as const;

/** The longest bar, in characters. */
const barWidth = 30;

export function addUsage(program: Command): void {
  const command = addCommand(program, 'usage', {
    about: 'Show how often keys were used on each day.',
    examples: ['usage key_4fQz81LmBw', 'usage --user alice --days 7 --json'],
  })
    .argument('[keyId]', 'the key id (default: every key)')
    .option('--user <user>', 'only keys of this user')
    .addOption(
      new Option('--days <number>', 'how many days, today included')
        .argParser(integerArgument(1, 366))
        .default(30),
    );
  addDatabaseOptions(command).action(
    async (keyId: string | undefined, _options: unknown, self: Command) =>
      usage(keyId, self.optsWithGlobals<Options>()),
  );
}

async function usage(keyId: string | undefined, options: Options): Promise<void> {
  const now = Date.now();
  const [from, to] = [dayOf(now - (options.days - 1) * dayMs), dayOf(now)];
  const counts = await withKeys(options, async (keys) => {
    const found = await keys.usage({ keyId, user: options.user, from, to });
    // A mistyped id has no uses either.
    if (found.length === 0 && keyId !== undefined && !(await keys.get(keyId)))
      throw unknownKey(keyId, options);
    return found;
  });
  if (options.json) return printJson(counts);
  if (counts.length === 0) return say('No use was counted in these days.');
  const days = sumByDay(counts);
  const most = Math.max(...days.map(({ admitted }) => admitted));
  const rows = days.map(({ day, admitted, refused }) => [
    day,
    String(admitted),
    String(refused),
    barOf(admitted, most),
  ]);
  await print(formatTable(columns, rows));
}

/** All keys together, day by day. */
function sumByDay(counts: readonly KeyUsage[]): Omit<KeyUsage, 'keyId' | 'user'>[] {
  const days = new Map<string, { day: string; admitted: number; refused: number }>();
  for (const { day, admitted, refused } of counts) {
    const sum = days.get(day) ?? { day, admitted: 0, refused: 0 };
    days.set(day, {
      day,
      admitted: sum.admitted + admitted,
      refused: sum.refused + refused,
    });
  }
  return [...days.values()];
}

/** At least one block for a day with any use. */
const barOf = (admitted: number, most: number): string =>
  admitted === 0 ? '' : '█'.repeat(Math.max(1, Math.round((barWidth * admitted) / most)));

import { Option, type Command } from 'commander';
import type { KeyStatus } from '../../stores/key-store.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { keysUpTo } from '../list-up-to.js';
import { listColumns, recordJson, recordRow } from '../records.js';
import { print, printJson, say } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';
import { integerArgument } from '../values/arguments.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly user?: string;
  readonly status?: KeyStatus;
  readonly limit: number;
  readonly all?: true;
}

export function addList(program: Command): void {
  const command = addCommand(program, 'list', {
    about: 'List keys, the newest first; never the keys themselves, which nobody has.',
    examples: ['list --user alice', 'list --status expiring --all --json'],
  })
    .option('--user <user>', 'keys of this user alone')
    .addOption(
      new Option('--status <status>', 'keys of this status alone; active: every usable one').choices([
        'active',
        'expiring',
        'rotating',
        'expired',
        'revoked',
      ]),
    )
    .addOption(
      new Option('--limit <number>', 'at most so many').argParser(integerArgument(1, 1_000_000)).default(100),
    )
    .option('--all', 'however many there are');
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    list(self.optsWithGlobals<Options>()),
  );
}

async function list(options: Options): Promise<void> {
  const { user, status, json, all } = options;
  const limit = all ? Number.POSITIVE_INFINITY : options.limit;
  // One more than asked for shows whether there are more.
  const found = await withKeys(options, (keys) => keysUpTo(keys, { user, status }, limit + 1));
  const records = found.slice(0, limit);
  if (json) await printJson(records.map(recordJson));
  else if (records.length > 0) await print(await formatTable(listColumns, records.map(recordRow)));
  else say('There are no such keys.');
  if (found.length > limit) say(`There are more than these ${limit}: give --all, or a higher --limit.`);
}

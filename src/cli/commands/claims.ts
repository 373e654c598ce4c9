import { Option, type Command } from 'commander';
import type { ClaimStatus } from '../../stores/claim-store.js';
import { claimColumns, claimJson, claimRow } from '../claim-records.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { claimsUpTo } from '../list-up-to.js';
import { print, printJson, say } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';
import { integerArgument } from '../values/arguments.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly status?: ClaimStatus;
  readonly limit: number;
  readonly all?: true;
}

export function addClaims(program: Command): void {
  const command = addCommand(program, 'claims', {
    about: 'List claim links, the newest first; never the links themselves, which nobody has.',
    examples: ['claims', 'claims --status open --all --json'],
  })
    .addOption(
      new Option('--status <status>', 'links of this status alone').choices([
        'open',
        'used',
        'withdrawn',
        'expired',
      ]),
    )
    .addOption(
      new Option('--limit <number>', 'at most so many').argParser(integerArgument(1, 1_000_000)).default(100),
    )
    .option('--all', 'however many there are');
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    listClaims(self.optsWithGlobals<Options>()),
  );
}

async function listClaims(options: Options): Promise<void> {
  const { status, json, all } = options;
  const limit = all ? Number.POSITIVE_INFINITY : options.limit;
  // One more than asked for shows whether there are more.
  const found = await withKeys(options, (keys) => claimsUpTo(keys, { status }, limit + 1));
  const claims = found.slice(0, limit);
  if (json) await printJson(claims.map(claimJson));
  else if (claims.length > 0) await print(await formatTable(claimColumns, claims.map(claimRow)));
  else say('There are no such links.');
  if (found.length > limit) say(`There are more than these ${limit}: give --all, or a higher --limit.`);
}

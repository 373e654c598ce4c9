import { Option, type Command } from 'commander';
import type { KeyStatus } from '../../stores/key-record.js';
import { addCommand } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { recordColumns, recordJson, recordRow } from '../records/key-records.js';
import { keysUpTo } from '../records/list-up-to.js';
import { durationBetween } from '../values/duration.js';
import { addPageOptions, printPage, type PageOptions } from '../records/page.js';

interface Options extends DatabaseOptions, PageOptions {
  readonly user?: string;
  readonly status?: KeyStatus;
  readonly unusedFor?: number;
  readonly expiringWithin?: number;
}

export function addList(program: Command): void {
  const command = addCommand(program, 'list', {
    about: 'List keys, newest first. The keys themselves are not stored and cannot be shown.',
    examples: ['list --user alice', 'list --status expiring --all --json'],
  })
    .option('--user <user>', 'only keys of this user')
    .addOption(
      new Option(
        '--status <status>',
        'only keys with this status; active: every key that works',
      ).choices(['active', 'expiring', 'rotating', 'paused', 'expired', 'revoked']),
    );
  command
    .option(
      '--unused-for <duration>',
      'only keys that work and were not used for so long, such as 90d',
      durationBetween('0s', '36500d'),
    )
    .option(
      '--expiring-within <duration>',
      'only keys that work and end so soon, such as 14d',
      durationBetween('0s', '36500d'),
    );
  addPageOptions(command);
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    list(self.optsWithGlobals<Options>()),
  );
}

async function list(options: Options): Promise<void> {
  const { user, status, unusedFor: unusedForMs, expiringWithin: expiringWithinMs } = options;
  const query = { user, status, unusedForMs, expiringWithinMs };
  await printPage(options, {
    read: (limit) => withKeys(options, (keys) => keysUpTo(keys, query, limit)),
    columns: recordColumns,
    rowOf: recordRow,
    jsonOf: recordJson,
    none: 'There are no such keys.',
  });
}

import { Option, type Command } from 'commander';
import type { ClaimStatus } from '../../stores/claim-store.js';
import { addCommand } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { claimColumns, claimJson, claimRow } from '../records/claim-records.js';
import { claimsUpTo } from '../records/list-up-to.js';
import { addPageOptions, printPage, type PageOptions } from '../records/page.js';

interface Options extends DatabaseOptions, PageOptions {
  readonly status?: ClaimStatus;
}

export function addClaims(program: Command): void {
  const command = addCommand(program, 'claims', {
    about:
      'List claim links, newest first. The links themselves are not stored and cannot be shown.',
    examples: ['claims', 'claims --status open --all --json'],
  }).addOption(
    new Option('--status <status>', 'only links with this status').choices([
      'open',
      'used',
      'revoked',
      'expired',
    ]),
  );
  addPageOptions(command);
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    listClaims(self.optsWithGlobals<Options>()),
  );
}

async function listClaims(options: Options): Promise<void> {
  const { status } = options;
  await printPage(options, {
    read: (limit) => withKeys(options, (keys) => claimsUpTo(keys, { status }, limit)),
    columns: claimColumns,
    rowOf: claimRow,
    jsonOf: claimJson,
    none: 'There are no such links.',
  });
}

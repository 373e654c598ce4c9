import type { Command } from 'commander';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { claimJson } from '../records/claim-records.js';
import { explainUnknownClaim } from '../records/unknown-id.js';
import { plain, printJson, say } from '../terminal/output.js';

type Options = DatabaseOptions & GlobalOptions;

export function addWithdraw(program: Command): void {
  const command = addCommand(program, 'withdraw', {
    about: 'Withdraw a claim link that has not been used: it stops working. This cannot be undone.',
    examples: ['withdraw claim_4fQz81LmBw'],
  }).argument('<claimId>', 'the id of the link, as "claims" lists it');
  addDatabaseOptions(command).action(async (claimId: string, _options: unknown, self: Command) =>
    withdraw(claimId, self.optsWithGlobals<Options>()),
  );
}

async function withdraw(claimId: string, options: Options): Promise<void> {
  const claim = await withKeys(options, (keys) =>
    keys.revokeClaim(claimId).catch(explainUnknownClaim(claimId, options)),
  );
  if (options.json) return printJson(claimJson(claim));
  say(`Withdrew ${claim.claimId} for ${plain(claim.user)}.`);
}

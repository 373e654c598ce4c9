import type { Command } from 'commander';
import { claimJson } from '../claim-records.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { plain, printJson, say } from '../terminal/output.js';

type Options = DatabaseOptions & GlobalOptions;

export function addWithdraw(program: Command): void {
  const command = addCommand(program, 'withdraw', {
    about: 'Withdraw a claim link that has not been used: it yields no key any more.',
    examples: ['withdraw claim_4fQz81LmBw'],
  }).argument('<claimId>', 'the id of the link, as "claims" lists it');
  addDatabaseOptions(command).action(async (claimId: string, _options: unknown, self: Command) =>
    withdraw(claimId, self.optsWithGlobals<Options>()),
  );
}

async function withdraw(claimId: string, options: Options): Promise<void> {
  const claim = await withKeys(options, (keys) => keys.revokeClaim(claimId));
  if (options.json) return printJson(claimJson(claim));
  say(`Withdrew ${claim.claimId} for ${plain(claim.user)}.`);
}

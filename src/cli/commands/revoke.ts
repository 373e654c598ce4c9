import type { Command } from 'commander';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { recordJson } from '../records/key-records.js';
import { usableSuccessors } from '../records/successors.js';
import { explainUnknownKey } from '../records/unknown-id.js';
import { plain, printJson, say } from '../terminal/output.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly family?: true;
}

export function addRevoke(program: Command): void {
  const command = addCommand(program, 'revoke', {
    about: 'End a key at once. This cannot be undone.',
    examples: ['revoke key_4fQz81LmBw', 'revoke key_4fQz81LmBw --family'],
  })
    .argument('<keyId>', 'the key id')
    .option('--family', 'also every key before and after it in its chain of rotations');
  addDatabaseOptions(command).action(async (keyId: string, _options: unknown, self: Command) =>
    revoke(keyId, self.optsWithGlobals<Options>()),
  );
}

async function revoke(keyId: string, options: Options): Promise<void> {
  const family = options.family ?? false;
  const { records, successors } = await withKeys(options, async (keys) => {
    const revoked = await keys.revoke(keyId, { family }).catch(explainUnknownKey(keyId, options));
    const [named] = revoked;
    return { records: revoked, successors: named ? await usableSuccessors(keys, named) : [] };
  });
  if (options.json) await printJson(records.map(recordJson));
  else for (const record of records) say(`Revoked ${record.keyId} of ${plain(record.user)}.`);
  // Whoever ends a leaked key takes all that came of it for ended too.
  for (const successor of successors)
    say(`Its successor ${successor.keyId} works on; --family revokes it too.`);
}

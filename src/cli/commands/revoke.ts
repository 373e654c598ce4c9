import type { Command } from 'commander';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { recordJson } from '../records.js';
import { plain, printJson, say } from '../terminal/output.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly family?: true;
}

export function addRevoke(program: Command): void {
  const command = addCommand(program, 'revoke', {
    about: 'End a key at once and for good.',
    examples: ['revoke key_4fQz81LmBw', 'revoke key_4fQz81LmBw --family'],
  })
    .argument('<keyId>', 'the key id')
    .option('--family', 'also every key that rotations link to it, before and after it');
  addDatabaseOptions(command).action(async (keyId: string, _options: unknown, self: Command) =>
    revoke(keyId, self.optsWithGlobals<Options>()),
  );
}

async function revoke(keyId: string, options: Options): Promise<void> {
  const family = options.family ?? false;
  const records = await withKeys(options, (keys) => keys.revoke(keyId, { family }));
  if (options.json) return printJson(records.map(recordJson));
  for (const record of records) say(`Revoked ${record.keyId} of ${plain(record.user)}.`);
}

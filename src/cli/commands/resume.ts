import type { Command } from 'commander';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { addChangeOptions, changedBy, type ChangeFlags } from '../records/change-options.js';
import { recordJson } from '../records/key-records.js';
import { explainUnknownKey } from '../records/unknown-id.js';
import { plain, printJson, say } from '../terminal/output.js';

type Options = DatabaseOptions & GlobalOptions & ChangeFlags;

export function addResume(program: Command): void {
  const command = addCommand(program, 'resume', {
    about: 'End the pause of a key at once.',
    examples: ['resume key_4fQz81LmBw'],
  }).argument('<keyId>', 'the key id');
  addChangeOptions(command);
  addDatabaseOptions(command).action(async (keyId: string, _options: unknown, self: Command) =>
    resume(keyId, self.optsWithGlobals<Options>()),
  );
}

async function resume(keyId: string, options: Options): Promise<void> {
  const record = await withKeys(options, (keys) =>
    keys.resume(keyId, changedBy(options)).catch(explainUnknownKey(keyId, options)),
  );
  if (options.json) return printJson(recordJson(record));
  say(`${record.keyId} of ${plain(record.user)} is no longer paused.`);
}

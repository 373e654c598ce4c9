import type { Command } from 'commander';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { recordJson, recordPairs } from '../records/key-records.js';
import { unknownKey } from '../records/unknown-id.js';
import { print, printJson } from '../terminal/output.js';
import { formatPairs } from '../terminal/table.js';

type Options = DatabaseOptions & GlobalOptions;

export function addShow(program: Command): void {
  const command = addCommand(program, 'show', {
    about: 'Show the whole record of a key.',
    examples: ['show key_4fQz81LmBw'],
  }).argument('<keyId>', 'the key id');
  addDatabaseOptions(command).action(async (keyId: string, _options: unknown, self: Command) =>
    show(keyId, self.optsWithGlobals<Options>()),
  );
}

async function show(keyId: string, options: Options): Promise<void> {
  const record = await withKeys(options, (keys) => keys.get(keyId));
  if (!record) throw unknownKey(keyId, options);
  if (options.json) await printJson(recordJson(record));
  else await print(formatPairs(recordPairs(record)));
}

import type { Command } from 'commander';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { addChangeOptions, changedBy, type ChangeFlags } from '../records/change-options.js';
import { recordJson } from '../records/key-records.js';
import { explainUnknownKey } from '../records/unknown-id.js';
import { plain, printJson, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { futureArgument } from '../values/instant.js';

interface Options extends DatabaseOptions, GlobalOptions, ChangeFlags {
  readonly until?: Date;
}

export function addPause(program: Command): void {
  const command = addCommand(program, 'pause', {
    about: 'Switch a key off until it is resumed, or for a while. Nothing is lost.',
    examples: ['pause key_4fQz81LmBw', 'pause key_4fQz81LmBw --until 1h --reason "runaway script"'],
  })
    .argument('<keyId>', 'the key id')
    .option(
      '--until <when>',
      'when the pause ends by itself: 1h, 7d, or a date such as 2027-01-31 in local time',
      futureArgument,
    );
  addChangeOptions(command);
  addDatabaseOptions(command).action(async (keyId: string, _options: unknown, self: Command) =>
    pause(keyId, self.optsWithGlobals<Options>()),
  );
}

async function pause(keyId: string, options: Options): Promise<void> {
  const record = await withKeys(options, (keys) =>
    keys
      .pause(keyId, { ...changedBy(options), until: options.until })
      .catch(explainUnknownKey(keyId, options)),
  );
  if (options.json) return printJson(recordJson(record));
  const end = record.pausedUntil
    ? `until ${formatTime(record.pausedUntil)}`
    : 'until it is resumed';
  say(`Paused ${record.keyId} of ${plain(record.user)} ${end}.`);
}

import type { Command } from 'commander';
import { addCommand } from '../command.js';
import { commandOn } from '../paste-line.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { addChangeOptions, changedBy, type ChangeFlags } from '../records/change-options.js';
import {
  addRecordOptions,
  readRecordOptions,
  type RecordOptions,
} from '../records/record-options.js';
import { addUserArgument } from '../records/user-argument.js';
import { recordJson } from '../records/key-records.js';
import { addOutOptions, withSecretSink, type OutOptions } from '../secret/secret-sink.js';
import { plain, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { prefixArgument } from '../values/arguments.js';

type Options = DatabaseOptions & RecordOptions & OutOptions & ChangeFlags;

export function addCreate(program: Command): void {
  const command = addCommand(program, 'create', {
    about:
      'Create a key for a user. The key is shown once, on stdout or in a file; only its digest ' +
      'is stored.',
    examples: [
      'create alice --out alice.key',
      'create alice --name ci --scope audio:read --scope audio:write --expires 90d',
    ],
  });
  addUserArgument(command, '<user>', 'whose key it is');
  addRecordOptions(command).option(
    '--prefix <prefix>',
    'what the key begins with (default: key)',
    prefixArgument,
  );
  addChangeOptions(command);
  addOutOptions(command);
  addDatabaseOptions(command).action(async (user: string, _options: unknown, self: Command) =>
    create(user, self.optsWithGlobals<Options>()),
  );
}

async function create(user: string, options: Options): Promise<void> {
  const record = await withSecretSink(options, (sink) =>
    withKeys(options, async (keys) => {
      const made = await keys.create({
        ...changedBy(options),
        user,
        ...readRecordOptions(options),
      });
      await sink.deliver({
        what: 'key',
        secret: made.key,
        secretJson: { key: made.key },
        json: { record: recordJson(made.record) },
        remedy: commandOn(options, 'revoke', made.record.keyId),
        undo: async () => keys.revoke(made.record.keyId, changedBy(options)).then(() => 'revoked'),
      });
      return made.record;
    }),
  );
  if (options.json) return;
  const end = record.expiresAt ? `expires ${formatTime(record.expiresAt)}` : 'never expires';
  say(
    `Created ${record.keyId} for ${plain(record.user)}; it ${end}. The key cannot be shown again.`,
  );
}

import type { Command } from 'commander';
import { addCommand } from '../command.js';
import { commandOn } from '../command-line.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { addRecordOptions, readRecordOptions, type RecordOptions } from '../record-options.js';
import { recordJson } from '../records.js';
import { addOutOptions, withOutlet, type OutOptions } from '../secret/outlet.js';
import { plain, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { prefixArgument } from '../values/arguments.js';

type Options = DatabaseOptions & RecordOptions & OutOptions;

export function addCreate(program: Command): void {
  const command = addCommand(program, 'create', {
    about:
      'Make a key for a user and store its digest: the key is printed once, alone, on stdout, or written into a file.',
    examples: [
      'create alice --out alice.key',
      'create alice --name ci --scope audio:read --scope audio:write --expires 90d',
    ],
  }).argument('<user>', 'whose key it is');
  addRecordOptions(command).option(
    '--prefix <prefix>',
    'what the key begins with (default: key)',
    prefixArgument,
  );
  addOutOptions(command);
  addDatabaseOptions(command).action(async (user: string, _options: unknown, self: Command) =>
    create(user, self.optsWithGlobals<Options>()),
  );
}

async function create(user: string, options: Options): Promise<void> {
  const record = await withOutlet(options, (outlet) =>
    withKeys(options, async (keys) => {
      const made = await keys.create({ user, ...readRecordOptions(options) });
      await outlet.deliver({
        what: 'key',
        secret: made.key,
        secretJson: { key: made.key },
        json: { record: recordJson(made.record) },
        remedy: commandOn(options, 'revoke', made.record.keyId),
        undo: async () => keys.revoke(made.record.keyId).then(() => 'revoked'),
      });
      return made.record;
    }),
  );
  if (options.json) return;
  const end = record.expiresAt ? `expires ${formatTime(record.expiresAt)}` : 'never expires';
  say(`Made ${record.keyId} for ${plain(record.user)}; it ${end}. It cannot be shown again.`);
}

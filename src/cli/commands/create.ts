import type { Command } from 'commander';
import { addCommand } from '../command.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { addRecordOptions, readRecordOptions, type RecordOptions } from '../record-options.js';
import { recordJson } from '../records.js';
import { printJson, printSecret, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { prefixArgument } from '../values/arguments.js';

type Options = DatabaseOptions & RecordOptions;

export function addCreate(program: Command): void {
  const command = addCommand(program, 'create', {
    about: 'Make a key for a user and store its digest: the key is printed once, alone, on stdout.',
    examples: [
      'require-api-key create alice > alice.key',
      'require-api-key create alice --name ci --scope audio:read --scope audio:write --expires 90d',
    ],
  }).argument('<user>', 'whose key it is');
  addRecordOptions(command).option(
    '--prefix <prefix>',
    'what the key begins with (default: key)',
    prefixArgument,
  );
  addDatabaseOptions(command).action(async (user: string, _options: unknown, self: Command) =>
    create(user, self.optsWithGlobals<Options>()),
  );
}

async function create(user: string, options: Options): Promise<void> {
  const { key, record } = await withKeys(options, (keys) =>
    keys.create({ user, ...readRecordOptions(options) }),
  );
  if (options.json) return printJson({ key, record: recordJson(record) });
  await printSecret(key, `require-api-key revoke ${record.keyId}`);
  const end = record.expiresAt ? `expires ${formatTime(record.expiresAt)}` : 'never expires';
  say(`Made ${record.keyId} for ${record.user}; it ${end}. It cannot be shown again.`);
}

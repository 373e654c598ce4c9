import type { Command } from 'commander';
import { addCommand } from '../command.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { addRecordOptions, readRecordOptions, type RecordOptions } from '../record-options.js';
import { recordJson } from '../records.js';
import { printSecret, printSecretJson, say } from '../terminal/output.js';
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
  const remedy = `require-api-key revoke ${record.keyId}`;
  if (options.json) return printSecretJson({ key, record: recordJson(record) }, remedy);
  await printSecret(key, remedy);
  const end = record.expiresAt ? `expires ${formatTime(record.expiresAt)}` : 'never expires';
  say(`Made ${record.keyId} for ${record.user}; it ${end}. It cannot be shown again.`);
}

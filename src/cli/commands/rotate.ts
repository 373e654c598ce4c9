import { Option, type Command } from 'commander';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { recordJson } from '../records.js';
import { plain, printSecret, printSecretJson, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { prefixArgument } from '../values/arguments.js';
import { durationArgument, formatDuration } from '../values/duration.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly overlap: number;
  readonly atFirstUse?: true;
}

export function addRotate(program: Command): void {
  const command = addCommand(program, 'rotate', {
    about: 'Make the successor of a key, printed once, alone, on stdout; both work during the overlap.',
    examples: [
      'require-api-key rotate key_4fQz81LmBw --overlap 7d > alice.key',
      'require-api-key rotate key_4fQz81LmBw --overlap 1h --at-first-use > alice.key',
    ],
  })
    .argument('<keyId>', 'the key id of the key to replace')
    .addOption(
      new Option('--overlap <duration>', 'how long the old key works on, 0s to 30d')
        .argParser(durationArgument)
        .default(86_400_000, '24h'),
    )
    .option('--at-first-use', 'count the overlap from the first use of the new key')
    .option('--prefix <prefix>', 'what the new key begins with (default: key)', prefixArgument);
  addDatabaseOptions(command).action(async (keyId: string, _options: unknown, self: Command) =>
    rotate(keyId, self.optsWithGlobals<Options>()),
  );
}

async function rotate(keyId: string, options: Options): Promise<void> {
  const startsAt = options.atFirstUse ? 'first-use' : 'now';
  const { key, record, previous } = await withKeys(options, (keys) =>
    keys.rotate(keyId, { overlapMs: options.overlap, startsAt }),
  );
  const user = plain(record.user);
  const remedy = `require-api-key revoke ${record.keyId}, then require-api-key create ${user}`;
  if (options.json) {
    const answer = { key, record: recordJson(record), previous: recordJson(previous) };
    return printSecretJson(answer, remedy);
  }
  await printSecret(key, remedy);
  const end = options.atFirstUse
    ? `for ${formatDuration(options.overlap)} from the first use of the new one`
    : `until ${formatTime(previous.expiresAt!)}`;
  say(`Made ${record.keyId} for ${user}; ${previous.keyId} works ${end}. The new key cannot be shown again.`);
}

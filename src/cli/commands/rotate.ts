import { Option, type Command } from 'commander';
import { addCommand } from '../command.js';
import { commandOn } from '../command-line.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { recordJson } from '../records.js';
import { addOutOptions, withOutlet, type OutOptions } from '../secret/outlet.js';
import { plain, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { prefixArgument } from '../values/arguments.js';
import { durationBetween, formatDuration } from '../values/duration.js';

interface Options extends DatabaseOptions, OutOptions {
  readonly overlap: number;
  readonly atFirstUse?: true;
}

export function addRotate(program: Command): void {
  const command = addCommand(program, 'rotate', {
    about:
      'Make the successor of a key, printed once, alone, on stdout, or written into a file; both work during the overlap.',
    examples: [
      'rotate key_4fQz81LmBw --overlap 7d --out alice.key',
      'rotate key_4fQz81LmBw --overlap 1h --at-first-use --out alice.key',
    ],
  })
    .argument('<keyId>', 'the key id of the key to replace')
    .addOption(
      new Option('--overlap <duration>', 'how long the old key works on, 0s to 30d')
        .argParser(durationBetween('0s', '30d'))
        .default(86_400_000, '24h'),
    )
    .option('--at-first-use', 'count the overlap from the first use of the new key')
    .option('--prefix <prefix>', 'what the new key begins with (default: key)', prefixArgument);
  addOutOptions(command);
  addDatabaseOptions(command).action(async (keyId: string, _options: unknown, self: Command) =>
    rotate(keyId, self.optsWithGlobals<Options>()),
  );
}

async function rotate(keyId: string, options: Options): Promise<void> {
  const startsAt = options.atFirstUse ? 'first-use' : 'now';
  const { record, previous } = await withOutlet(options, (outlet) =>
    withKeys(options, async (keys) => {
      const made = await keys.rotate(keyId, { overlapMs: options.overlap, startsAt });
      await outlet.deliver({
        what: 'key',
        secret: made.key,
        secretJson: { key: made.key },
        json: { record: recordJson(made.record), previous: recordJson(made.previous) },
        // The old key has its successor and cannot have another; that one can, and the old one works on meanwhile.
        remedy: `make another in its place, ${commandOn(options, 'rotate', `${made.record.keyId} --overlap 0s`)}`,
      });
      return made;
    }),
  );
  if (options.json) return;
  const end = options.atFirstUse
    ? `for ${formatDuration(options.overlap)} from the first use of the new one`
    : `until ${formatTime(previous.expiresAt!)}`;
  say(
    `Made ${record.keyId} for ${plain(record.user)}; ${previous.keyId} works ${end}. The new key cannot be shown again.`,
  );
}

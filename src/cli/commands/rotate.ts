import { Option, type Command } from 'commander';
import { mustBePrefix } from '../../keys/key-format.js';
import { dayMs } from '../../lib/durations.js';
import { addCommand } from '../command.js';
import { commandOn } from '../paste-line.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { addChangeOptions, changedBy, type ChangeFlags } from '../records/change-options.js';
import { recordJson } from '../records/key-records.js';
import { explainSuccessor } from '../records/successors.js';
import { explainUnknownKey } from '../records/unknown-id.js';
import { addOutOptions, withSecretSink, type OutOptions } from '../secret/secret-sink.js';
import { plain, say } from '../terminal/output.js';
import { formatTime } from '../terminal/time.js';
import { prefixArgument } from '../values/arguments.js';
import { durationBetween, formatDuration } from '../values/duration.js';

interface Options extends DatabaseOptions, OutOptions, ChangeFlags {
  readonly overlap: number;
  readonly atFirstUse?: true;
}

export function addRotate(program: Command): void {
  const command = addCommand(program, 'rotate', {
    about:
      'Replace a key by a new one, shown once, on stdout or in a file. The old key keeps working ' +
      'for the overlap.',
    examples: [
      'rotate key_4fQz81LmBw --overlap 7d --out alice.key',
      'rotate key_4fQz81LmBw --overlap 1h --at-first-use --out alice.key',
    ],
  })
    .argument('<keyId>', 'the key id of the key to replace')
    .addOption(
      new Option('--overlap <duration>', 'how long the old key keeps working, 0s to 30d')
        .argParser(durationBetween('0s', '30d'))
        .default(dayMs, '24h'),
    )
    .option('--at-first-use', 'start the overlap at the first use of the new key')
    .option(
      '--prefix <prefix>',
      'what the new key begins with (default: what the old one does)',
      prefixArgument,
    );
  addChangeOptions(command);
  addOutOptions(command);
  addDatabaseOptions(command).action(async (keyId: string, _options: unknown, self: Command) =>
    rotate(keyId, self.optsWithGlobals<Options>()),
  );
}

async function rotate(keyId: string, options: Options): Promise<void> {
  const startsAt = options.atFirstUse ? 'first-use' : 'now';
  const { record, previous: old } = await withSecretSink(options, (sink) =>
    withKeys({ ...options, prefix: options.prefix ?? prefixOf(keyId) }, async (keys) => {
      const made = await keys
        .rotate(keyId, { ...changedBy(options), overlapMs: options.overlap, startsAt })
        .catch(explainSuccessor(keys, keyId, 'rotate that one'))
        .catch(explainUnknownKey(keyId, options));
      await sink.deliver({
        what: 'key',
        secret: made.key,
        secretJson: { key: made.key },
        json: { record: recordJson(made.record), previous: recordJson(made.previous) },
        // The old key has its successor and cannot have another. The successor can, and the old key
        // still works meanwhile.
        remedy: `replace it, ${commandOn(options, 'rotate', `${made.record.keyId} --overlap 0s`)}`,
      });
      return made;
    }),
  );
  if (options.json) return;
  const end = options.atFirstUse
    ? `for ${formatDuration(options.overlap)} from the first use of the new one`
    : `until ${formatTime(old.expiresAt!)}`;
  say(
    `Created ${record.keyId} for ${plain(record.user)}; ${old.keyId} works ${end}. The new key ` +
      'cannot be shown again.',
  );
}

/** What the key of this id begins with. `key` for ids that were not made here. */
function prefixOf(keyId: string): string {
  const prefix = /^(.+)_[0-9A-Za-z]{10}$/.exec(keyId)?.[1];
  return prefix !== undefined && mustBePrefix(prefix) === undefined ? prefix : 'key';
}

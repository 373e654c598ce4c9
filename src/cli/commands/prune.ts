import { Option, type Command } from 'commander';
import { yearMs } from '../../lib/durations.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { addChangeOptions, changedBy, type ChangeFlags } from '../records/change-options.js';
import { count, printJson, say } from '../terminal/output.js';
import { stopIfInterrupted, untilInterrupted } from '../terminal/interrupt.js';
import { withProgress } from '../terminal/progress.js';
import { durationBetween, formatDuration } from '../values/duration.js';

interface Options extends DatabaseOptions, GlobalOptions, ChangeFlags {
  readonly olderThan: number;
  readonly eventsOlderThan?: number;
  readonly usageOlderThan?: number;
}

/** The longest time that the library accepts here, a hundred years. */
const longestMs = 100 * yearMs;

export function addPrune(program: Command): void {
  const command = addCommand(program, 'prune', {
    about:
      'Delete the records of keys that were revoked or expired long ago. This cannot be undone.',
    examples: ['prune --older-than 90d'],
  }).addOption(
    new Option('--older-than <duration>', 'how long ago they must have ended, such as 90d')
      .argParser(durationBetween('0s', '36500d'))
      .makeOptionMandatory(),
  );
  command
    .option(
      '--events-older-than <duration>',
      'also delete history this old, such as 730d (default: keep all of it)',
      durationBetween('0s', '36500d'),
    )
    .option(
      '--usage-older-than <duration>',
      'delete counts of uses this old (default: 400d)',
      durationBetween('0s', '36500d'),
    );
  addChangeOptions(command);
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    prune(self.optsWithGlobals<Options>()),
  );
}

async function prune(options: Options): Promise<void> {
  const steps = stepsTo(options.olderThan);
  const ages = {
    eventsOlderThanMs: options.eventsOlderThan,
    usageOlderThanMs: options.usageOlderThan,
  };
  let removed = 0;
  await untilInterrupted((signal) =>
    withKeys(options, (keys) =>
      withProgress('pruning', async (progress) => {
        for (const [index, olderThanMs] of steps.entries()) {
          progress.update(index, steps.length);
          stopIfInterrupted(
            signal,
            `stopped after ${count(removed, 'deleted record')}; run it again to continue`,
          );
          removed += await keys.prune({ ...changedBy(options), olderThanMs, ...ages });
        }
      }),
    ),
  );
  if (options.json) return printJson({ removed });
  say(
    `Deleted ${count(removed, 'record')} of keys that ended over ` +
      `${formatDuration(options.olderThan)} ago.`,
  );
}

/** From the oldest on, so that no statement does all the work and Ctrl-C can stop between two. */
function stepsTo(olderThanMs: number): number[] {
  return [64, 32, 16, 8, 4, 2]
    .map((times) => times * olderThanMs)
    .filter((each) => each > olderThanMs && each <= longestMs)
    .concat(olderThanMs);
}

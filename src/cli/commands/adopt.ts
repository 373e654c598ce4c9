import type { Command } from 'commander';
import type { AdoptSummary } from '../../stores/postgres/adopt/adopt.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, withStore, type DatabaseOptions } from '../database.js';
import { printJson, say } from '../terminal/output.js';
import { Interrupted, untilInterrupted } from '../terminal/interrupt.js';
import { withProgress } from '../terminal/progress.js';
import { integerArgument, prefixArgument } from '../values/arguments.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly batchSize?: number;
}

export function addAdopt(program: Command): void {
  const command = addCommand(program, 'adopt', {
    about: 'Turn a table of plaintext keys into one of digests, in place; whoever holds a key still gets in.',
    examples: ['adopt', 'adopt --table legacy_keys'],
  })
    .option(
      '--prefix <prefix>',
      'what the ids of keys of another form begin with (default: key)',
      prefixArgument,
    )
    .option(
      '--batch-size <rows>',
      'rows that are hashed in one statement (default: 10000)',
      integerArgument(1, 1_000_000),
    );
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    adopt(self.optsWithGlobals<Options>()),
  );
}

async function adopt(options: Options): Promise<void> {
  const { table = 'api_keys', batchSize, prefix } = options;
  const summary = await untilInterrupted((signal) =>
    withStore(options, (store) =>
      withProgress('hashing', (progress) =>
        store.adopt({
          batchSize,
          prefix,
          onProgress({ done, total }) {
            progress.update(done, total);
            if (signal.aborted) {
              const { exitCode } = signal.reason as Interrupted;
              throw new Interrupted('stopped; what is hashed is kept, run it again to go on', { exitCode });
            }
          },
        }),
      ),
    ),
  );
  if (options.json) return printJson(summary);
  for (const line of linesOf(summary, table)) say(line);
}

function linesOf({ adopted, revoked, unowned, skipped, wasUpToDate }: AdoptSummary, table: string): string[] {
  if (wasUpToDate) return [`The table ${table} holds no plaintext: there is nothing to do.`];
  const lines = [`Adopted ${adopted} ${adopted === 1 ? 'key' : 'keys'}.`];
  if (revoked > 0) lines.push(`Revoked, since they were not active: ${revoked}.`);
  if (unowned > 0) lines.push(`Without an owner, now of the user "unknown": ${unowned}.`);
  const moved = skipped.withoutKey + skipped.duplicates;
  if (moved > 0) {
    lines.push(
      `Moved to ${table}_skipped: ${moved} rows, ${skipped.withoutKey} without a key and ${skipped.duplicates} with the key of another row.`,
    );
  }
  return [...lines, 'Keys of another form are accepted by new ApiKeyManager({ store, legacyKeys: true }).'];
}

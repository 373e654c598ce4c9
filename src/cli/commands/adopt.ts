import type { Command } from 'commander';
import type { AdoptSummary } from '../../stores/postgres/adopt/adopt.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withPostgresStore } from '../database/open-database.js';
import { legacyKeysNote } from '../import/import-entries.js';
import { count, plain, printJson, say } from '../terminal/output.js';
import { stopIfInterrupted, untilInterrupted } from '../terminal/interrupt.js';
import { withProgress } from '../terminal/progress.js';
import { collect, integerArgument, prefixArgument } from '../values/arguments.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly batchSize?: number;
  readonly ignoreColumn?: readonly string[];
}

export function addAdopt(program: Command): void {
  const command = addCommand(program, 'adopt', {
    about:
      'Replace the plaintext keys of a table by their digests, in place. Working keys keep ' +
      'working.',
    examples: ['adopt', 'adopt --table legacy_keys'],
  })
    .option(
      '--prefix <prefix>',
      'what the key ids of keys from elsewhere begin with (default: key)',
      prefixArgument,
    )
    .option(
      '--batch-size <rows>',
      'how many rows one statement hashes (default: 10000)',
      integerArgument(1, 1_000_000),
    )
    .option(
      '--ignore-column <column>',
      'a column by which no key was refused; repeat for each column',
      collect((column) => column),
    );
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    adopt(self.optsWithGlobals<Options>()),
  );
}

async function adopt(options: Options): Promise<void> {
  const { table = 'api_keys', batchSize, prefix, ignoreColumn } = options;
  const summary = await untilInterrupted((signal) =>
    withPostgresStore(options, (store) =>
      withProgress('hashing', (progress) =>
        store.adopt({
          batchSize,
          prefix,
          ignoredColumns: ignoreColumn,
          onProgress({ done, total }) {
            progress.update(done, total);
            stopIfInterrupted(
              signal,
              'stopped; the rows hashed so far are kept; run it again to continue',
            );
          },
        }),
      ),
    ),
  );
  if (options.json) return printJson(summary);
  for (const line of linesOf(summary, table)) say(line);
}

/** How many keys are named in words. */
const maxNamed = 20;

function linesOf(summary: AdoptSummary, table: string): string[] {
  const { adopted, revoked, unowned, unpresentable, digestLike, skipped, wasUpToDate } = summary;
  if (wasUpToDate) return [`The table ${table} holds no plaintext keys: there is nothing to do.`];
  const lines = [`Adopted ${count(adopted, 'key')}.`];
  if (revoked > 0) lines.push(`Revoked ${count(revoked, 'key')} that had been inactive.`);
  if (unowned > 0)
    lines.push(`Gave ${count(unowned, 'key')} without a user to the user "unknown".`);
  if (unpresentable > 0) {
    lines.push(
      `Warning: no request can carry ${count(unpresentable, 'key')} (blanks, commas, non-ASCII ` +
        'or over 512 characters): create new ones for the users.',
      ...namesOf(summary, table),
    );
  }
  if (digestLike > 0) {
    const digests = digestLike === 1 ? 'a SHA-256 digest' : 'SHA-256 digests';
    lines.push(
      `Warning: ${count(digestLike, 'key')} of 64 hexadecimal digits could also be ${digests}. ` +
        'If the table held digests, restore it, put "sha256:" in front of them and run ' +
        'this again.',
    );
  }
  const moved = skipped.withoutKey + skipped.duplicates;
  if (moved > 0) {
    lines.push(
      `Moved ${count(moved, 'row')} to ${table}_skipped: ${skipped.withoutKey} without a key, ` +
        `${skipped.duplicates} with the key of another row.`,
    );
  }
  return [...lines, legacyKeysNote];
}

/** Keys that no request can carry. Afterwards no command can tell them from others. */
function namesOf({ unpresentable, unpresentableKeys = [] }: AdoptSummary, table: string): string[] {
  const named = unpresentableKeys.slice(0, maxNamed);
  const more = unpresentable - named.length;
  return [
    ...named.map(({ keyId, user }) => `  ${keyId} of ${plain(user)}`),
    ...(more > 0 ? [`  and ${more} more: see the column details of ${table}_migrations`] : []),
  ];
}

import { Option, type Command } from 'commander';
import type { ArchiveConflict, ArchiveResult, StoreArchive } from '../../stores/store-archive.js';
import { addCommand, type GlobalOptions } from '../command.js';
import type { DatabaseOptions } from '../database/database-options.js';
import { isFileUrl } from '../database/database-url.js';
import { withStore, type DatabaseStore } from '../database/open-database.js';
import { describeState } from '../database/schema-state.js';
import { Failure } from '../failure.js';
import { stopIfInterrupted, untilInterrupted } from '../terminal/interrupt.js';
import { count, printJson, say } from '../terminal/output.js';
import { withProgress } from '../terminal/progress.js';

interface Options extends GlobalOptions {
  readonly from: string;
  readonly to: string;
  readonly schema?: string;
  readonly table?: string;
  readonly dryRun?: true;
}

interface Tally {
  copied: number;
  skipped: number;
}

interface Summary {
  readonly keys: Tally;
  readonly claims: Tally;
  readonly events: Tally;
  readonly usage: Tally;
  readonly conflicts: object[];
}

type Part = 'keys' | 'claims' | 'events' | 'usage';

/** Keys first: a claim link may name its key. */
const parts: readonly Part[] = ['keys', 'claims', 'events', 'usage'];
const maxTold = 20;

export function addCopy(program: Command): void {
  addCommand(program, 'copy', {
    about:
      'Copy all keys, open claim links, history and usage into another database. Keys keep ' +
      'working.',
    examples: [
      'copy --from file:keys.db --to postgres://app@localhost/app --dry-run',
      'copy --from file:keys.db --to postgres://app@localhost/app',
    ],
  })
    .addOption(new Option('--from <url>', 'the database to read').makeOptionMandatory())
    .addOption(
      new Option('--to <url>', 'the database to write, migrated before').makeOptionMandatory(),
    )
    .option('--dry-run', 'change nothing, and only say what would be done')
    .option('--schema <name>', 'the schema of the tables in PostgreSQL (default: public)')
    .option('--table <name>', 'the table of keys in both (default: api_keys)')
    .action(async (_options: unknown, self: Command) => copy(self.optsWithGlobals<Options>()));
}

async function copy(options: Options): Promise<void> {
  const [from, to] = [placeIn(options, options.from), placeIn(options, options.to)];
  const summary = await untilInterrupted((signal) =>
    withStore(from, async (source) => {
      await assertReady(source, from);
      return withStore(to, async (target) => {
        await assertReady(target, to);
        return copyAll(source.archive, target.archive, {
          isDryRun: options.dryRun ?? false,
          assertWanted: () => stopIfInterrupted(signal, 'stopped; run it again to continue'),
        });
      }).catch((error: unknown) => {
        throw error instanceof SourceError ? error.cause : error;
      });
    }),
  );
  if (options.json) await printJson(summary);
  else tell(summary, options.dryRun ?? false);
  if (summary.conflicts.length > 0) process.exitCode = 1;
}

/** The schema is PostgreSQL's alone. */
function placeIn({ schema, table }: Options, url: string): DatabaseOptions {
  return {
    database: url,
    ...(table !== undefined && { table }),
    ...(schema !== undefined && !isFileUrl(url) && { schema }),
  };
}

async function assertReady(store: DatabaseStore, options: DatabaseOptions): Promise<void> {
  const problem = describeState(await store.inspect(), options);
  if (problem) throw new Failure(`${problem.message}: ${problem.remedy}`);
}

async function copyAll(
  source: StoreArchive,
  target: StoreArchive,
  { isDryRun, assertWanted }: { isDryRun: boolean; assertWanted: () => void },
): Promise<Summary> {
  const summary: Summary = {
    keys: { copied: 0, skipped: 0 },
    claims: { copied: 0, skipped: 0 },
    events: { copied: 0, skipped: 0 },
    usage: { copied: 0, skipped: 0 },
    conflicts: [],
  };
  const add = (part: Part, { copied, skipped, conflicts }: ArchiveResult) => {
    summary[part].copied += copied;
    summary[part].skipped += skipped;
    summary.conflicts.push(...conflicts.map((conflict) => describeConflict(part, conflict)));
  };
  await withProgress('copying', async (progress) => {
    const options = { isDryRun };
    const run: Record<Part, () => AsyncIterable<ArchiveResult>> = {
      keys: () => each(source.readKeys(), (batch) => target.writeKeys(batch, options)),
      claims: () => each(source.readClaims(), (batch) => target.writeClaims(batch, options)),
      events: () => each(source.readEvents(), (batch) => target.writeEvents(batch, options)),
      usage: () => each(source.readUsage(), (batch) => target.writeUsage(batch, options)),
    };
    for (const [index, part] of parts.entries()) {
      progress.update(index, parts.length);
      for await (const result of run[part]()) {
        add(part, result);
        assertWanted();
      }
    }
  });
  return summary;
}

/** An error of the source, which must not be explained as one of the target. */
class SourceError extends Error {}

async function* each<Entry>(
  batches: AsyncIterable<readonly Entry[]>,
  write: (batch: readonly Entry[]) => Promise<ArchiveResult>,
): AsyncGenerator<ArchiveResult> {
  for await (const batch of asSource(batches)) yield await write(batch);
}

async function* asSource<Batch>(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  try {
    yield* batches;
  } catch (error) {
    throw new SourceError('the source failed', { cause: error });
  }
}

const idNames = { keys: 'keyId', claims: 'claimId', events: 'eventId', usage: 'usage' } as const;

const describeConflict = (part: Part, { id, why }: ArchiveConflict) => ({
  [idNames[part]]: id,
  why,
});

function tell({ conflicts, ...tallies }: Summary, isDryRun: boolean): void {
  const nouns = { keys: 'key', claims: 'claim link', events: 'event', usage: 'count of uses' };
  const copied = parts.map((part) =>
    part === 'usage'
      ? `${tallies.usage.copied} counts of uses`
      : count(tallies[part].copied, nouns[part]),
  );
  const skipped = parts.reduce((sum, part) => sum + tallies[part].skipped, 0);
  const verb = isDryRun ? 'Would copy' : 'Copied';
  say(`${verb} ${copied.join(', ')}; ${skipped} already there.`);
  for (const conflict of conflicts.slice(0, maxTold)) say(sentenceOf(conflict));
  if (conflicts.length > maxTold) say(`and ${conflicts.length - maxTold} more`);
}

function sentenceOf(conflict: object): string {
  const [id, why] = Object.values(conflict) as string[];
  return `Left ${id} as it is: it differs there (${why}).`;
}

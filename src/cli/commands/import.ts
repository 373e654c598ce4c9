import { Option, type Command } from 'commander';
import { digestApiKey } from '../../lib/digest.js';
import type { ImportKeyOptions } from '../../manager/manager-options.js';
import { KeyStoreError, type KeyStore } from '../../stores/key-store.js';
import { addCommand } from '../command.js';
import { addDatabaseOptions, withKeys, type DatabaseOptions } from '../database.js';
import { Failure, Misuse } from '../failure.js';
import { checkEntries } from '../import/check-entries.js';
import { importEntries, type ImportTally } from '../import/import-entries.js';
import { inOptionWords } from '../option-words.js';
import { readEntries } from '../import/read-entries.js';
import { readInput, readKey } from '../key-input.js';
import { addRecordOptions, readRecordOptions, type RecordOptions } from '../record-options.js';
import { recordJson } from '../records.js';
import { Interrupted, untilInterrupted } from '../terminal/interrupt.js';
import { plain, printJson, say } from '../terminal/output.js';
import { withProgress } from '../terminal/progress.js';
import { prefixArgument } from '../values/arguments.js';

interface Options extends DatabaseOptions, RecordOptions {
  readonly keyFile?: string;
  readonly digest?: string;
  readonly file?: string;
}

const ofOneKey = ['keyFile', 'digest', 'name', 'scope', 'expires', 'metadata'];
const maxProblems = 20;

export function addImport(program: Command): void {
  const command = addCommand(program, 'import', {
    about: 'Take over a key that exists already, or a file of them; only digests are stored.',
    examples: [
      'import alice < alice.key',
      'import alice --digest sha256:<64 hex digits>',
      'import --file keys.csv',
    ],
  })
    .argument('[user]', 'whose key it is; the key is read from standard input')
    .option('--key-file <file>', 'read the key from a file instead')
    .addOption(
      new Option('--digest <digest>', 'its digest instead of the key: sha256: and 64 hex digits').conflicts(
        'keyFile',
      ),
    )
    .addOption(
      new Option(
        '--file <file>',
        'many keys, from a file or - for standard input: lines of user:key, CSV with a header, or a JSON array',
      ).conflicts(ofOneKey),
    );
  addRecordOptions(command).option(
    '--prefix <prefix>',
    'what the id of a key of another form begins with (default: key)',
    prefixArgument,
  );
  addDatabaseOptions(command).action(async (user: string | undefined, _options: unknown, self: Command) => {
    const options = self.optsWithGlobals<Options>();
    if ((user === undefined) === (options.file === undefined)) {
      throw new Misuse('give either a user, or --file with many keys');
    }
    await (user === undefined ? importFile(options.file!, options) : importOne(user, options));
  });
}

async function importOne(user: string, options: Options): Promise<void> {
  const entry: ImportKeyOptions = {
    user,
    ...readRecordOptions(options),
    ...(options.digest === undefined ? { key: await readKey(options.keyFile) } : { digest: options.digest }),
  };
  const { problems, weak } = checkEntries([{ place: 'the input', options: entry }]);
  if (entry.key !== undefined && problems[0] !== undefined) throw new Failure(inOptionWords(problems[0]));
  const record = await withKeys(options, (keys, store) =>
    keys.import(entry).catch(async (error: unknown) => explainDuplicate(error, entry, store)),
  );
  for (const each of weak) say(`Warning: ${each.replace('the input: ', '')}; replace it soon.`);
  if (options.json) return printJson(recordJson(record));
  say(`Took over a key of ${plain(record.user)} as ${record.keyId}.`);
}

/** What the database holds in place of this key; never the key. */
async function explainDuplicate(error: unknown, entry: ImportKeyOptions, store: KeyStore): Promise<never> {
  if (!(error instanceof KeyStoreError) || error.code !== 'duplicate_key') throw error;
  const found = await store.findByDigest(entry.digest?.toLowerCase() ?? digestApiKey(entry.key!));
  if (!found) throw new Failure('the key id of this key is taken by another key', { cause: error });
  const sentence =
    found.user === entry.user
      ? `this key is in the database already, as ${found.keyId}`
      : `this key belongs to another user, ${found.user}, as ${found.keyId}: a key has one user, so ${entry.user} needs one of their own`;
  throw new Failure(sentence, { cause: error });
}

async function importFile(file: string, options: Options): Promise<void> {
  const { good, problems, weak } = checkEntries(readEntries(await readInput(file)));
  if (problems.length > 0) {
    for (const problem of problems.slice(0, maxProblems)) say(problem);
    if (problems.length > maxProblems) say(`and ${problems.length - maxProblems} more`);
    throw new Failure(
      `${problems.length} of ${good.length + problems.length} keys cannot be taken over; none was`,
    );
  }
  const tally: ImportTally = { imported: 0, duplicates: 0, conflicts: [] };
  await untilInterrupted((signal) =>
    withKeys(options, (keys, store) =>
      withProgress('importing', (progress) =>
        importEntries(good, tally, {
          keys,
          store,
          onBatch(done) {
            progress.update(done, good.length);
            if (signal.aborted) {
              const { exitCode } = signal.reason as Interrupted;
              const left = good.length - done;
              throw new Interrupted(`stopped; ${left} keys are left, run it again to go on`, { exitCode });
            }
          },
        }),
      ),
    ),
  );
  for (const each of weak.slice(0, maxProblems)) say(`Warning: ${each}; replace it soon.`);
  for (const conflict of tally.conflicts.slice(0, maxProblems)) say(conflict);
  if (options.json) await printJson({ ...tally, weak });
  else say(`Took over ${tally.imported} keys; ${tally.duplicates} were there already.`);
  if (tally.conflicts.length > 0) throw new Failure(`${tally.conflicts.length} keys were not taken over`);
}

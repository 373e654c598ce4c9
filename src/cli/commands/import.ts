import { Option, type Command } from 'commander';
import { checkCreateOptions, type ImportKeyOptions } from '../../manager/key-options.js';
import { KeyStoreError } from '../../stores/key-store-error.js';
import { type KeyStore } from '../../stores/key-store.js';
import { addCommand } from '../command.js';
import {
  addDatabaseOptions,
  requireDatabaseUrl,
  type DatabaseOptions,
} from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { Failure, Misuse } from '../failure.js';
import { checkEntries, type CheckedEntry, type Remark } from '../import/check-entries.js';
import { legacyKeysNote } from '../import/import-entries.js';
import { importEntries } from '../import/import-entries.js';
import { fileFormats, readEntries, type FileFormat } from '../import/read-entries.js';
import { readInput, readKey } from '../key-input.js';
import { addChangeOptions, changedBy, type ChangeFlags } from '../records/change-options.js';
import { recordJson } from '../records/key-records.js';
import { addUserArgument } from '../records/user-argument.js';
import {
  addRecordOptions,
  readRecordOptions,
  type RecordOptions,
} from '../records/record-options.js';
import { count, plain, printJson, say } from '../terminal/output.js';
import { stopIfInterrupted, untilInterrupted } from '../terminal/interrupt.js';
import { withProgress } from '../terminal/progress.js';
import { prefixArgument } from '../values/arguments.js';

interface Options extends DatabaseOptions, RecordOptions, ChangeFlags {
  readonly keyFile?: string;
  readonly digest?: string;
  readonly file?: string;
  readonly format?: FileFormat;
  readonly skipBadLines?: boolean;
}

const ofOneKey = ['keyFile', 'digest', 'name', 'scope', 'expires', 'metadata', 'address'];
const maxRemarks = 20;

export function addImport(program: Command): void {
  const command = addCommand(program, 'import', {
    about: 'Take over a key that exists already, or a file of keys. Only digests are stored.',
    examples: [
      'import alice < alice.key',
      'import alice --digest sha256:<64 hex digits>',
      'import --file keys.csv',
      'import --file keys.txt --format pairs --skip-bad-lines',
    ],
  });
  addUserArgument(
    command,
    '[user]',
    'whose key it is; the key, or its digest, is read from standard input',
  )
    .option('--key-file <file>', 'read the key from a file instead')
    .addOption(
      new Option(
        '--digest <digest>',
        'the digest instead of the key: sha256: and 64 hex digits',
      ).conflicts('keyFile'),
    )
    .addOption(
      new Option(
        '--file <file>',
        'many keys, from a file or - for standard input: lines of user:key, CSV with a header, ' +
          'or a JSON array',
      ).conflicts(ofOneKey),
    )
    .addOption(
      new Option(
        '--format <format>',
        'the format of --file; if it is not given, the file must leave no doubt',
      ).choices(fileFormats),
    )
    .option(
      '--skip-bad-lines',
      'leave out lines with a problem instead of the whole file; needs --format',
    );
  addChangeOptions(addRecordOptions(command)).option(
    '--prefix <prefix>',
    'what the key id of a key from elsewhere begins with (default: key)',
    prefixArgument,
  );
  addDatabaseOptions(command).action(
    async (user: string | undefined, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      const { file, format, skipBadLines } = options;
      if (file === undefined && (format !== undefined || skipBadLines))
        throw new Misuse('--format and --skip-bad-lines belong to --file');
      if (skipBadLines && format === undefined)
        throw new Misuse('--skip-bad-lines needs --format: say what the file is');
      if (user !== undefined && file === undefined) return importOne(user, options);
      if (user === undefined && file !== undefined) return importFile(file, options);
      throw new Misuse('give either a user, or --file with many keys');
    },
  );
}

async function importOne(user: string, options: Options): Promise<void> {
  // Before a key is prompted for.
  requireDatabaseUrl(options);
  const { keyFile, digest } = options;
  const fields = { ...changedBy(options), user, ...readRecordOptions(options) };
  checkCreateOptions(fields);
  const entry: ImportKeyOptions = {
    ...fields,
    ...(digest === undefined ? { key: await readKey(keyFile) } : { digest }),
  };
  const place = keyFile === undefined || keyFile === '-' ? 'standard input' : keyFile;
  const { good, problems, weak } = checkEntries([{ place, options: entry }]);
  // The library reports a wrong option. The message is put in the words of the command line.
  if (digest === undefined && problems[0]) throw new Failure(tell(problems[0]));
  const record = await withKeys(options, (keys, store) =>
    keys.import(entry).catch(async (error: unknown) => explainDuplicate(error, good[0], store)),
  );
  for (const { text } of weak) say(`Warning: ${text}; replace it soon.`);
  if (options.json) await printJson(recordJson(record));
  else say(`Took over a key of ${plain(record.user)} as ${record.keyId}.`);
  if (good.some(({ isLegacy }) => isLegacy)) say(legacyKeysNote);
}

/** Describes what the database holds for this key, without quoting the key. */
async function explainDuplicate(
  error: unknown,
  entry: CheckedEntry | undefined,
  store: KeyStore,
): Promise<never> {
  if (!entry || !(error instanceof KeyStoreError) || error.code !== 'duplicate_key') throw error;
  const { user } = entry.options;
  const found = await store.findByDigest(entry.digest);
  if (!found) throw new Failure('the key id of this key belongs to another key', { cause: error });
  const sentence =
    found.user === user
      ? `this key is in the database already, as ${found.keyId}`
      : `this key belongs to another user, ${found.user}, as ${found.keyId}: give ${user} a key ` +
        'of their own';
  throw new Failure(sentence, { cause: error });
}

async function importFile(file: string, options: Options): Promise<void> {
  // Before anything is read.
  requireDatabaseUrl(options);
  const entries = readEntries(await readInput(file), options.format);
  const { good, problems, weak } = checkEntries(entries);
  if (problems.length > 0) {
    // Nobody will look again at what is skipped on purpose, so all of it is listed.
    const shown = options.skipBadLines ? problems : problems.slice(0, maxRemarks);
    for (const problem of shown) say(tell(problem));
    if (problems.length > shown.length) say(`and ${problems.length - shown.length} more`);
    const all = count(entries.length, 'key');
    if (!options.skipBadLines || good.length === 0)
      throw new Failure(
        `cannot take over ${problems.length} of ${all}, so took over none: fix the file`,
      );
  }
  const tally = await untilInterrupted((signal) =>
    withKeys(options, (keys, store) =>
      withProgress('importing', (progress) =>
        importEntries(good, {
          keys,
          store,
          change: changedBy(options),
          onBatch(done) {
            progress.update(done, good.length);
            const left = count(good.length - done, 'key');
            stopIfInterrupted(signal, `stopped with ${left} left; run it again to continue`);
          },
        }),
      ),
    ),
  );
  for (const each of weak.slice(0, maxRemarks))
    say(`Warning: ${each.place}: ${each.text}; replace it soon.`);
  for (const conflict of tally.conflicts.slice(0, maxRemarks)) say(conflict);
  if (options.json)
    await printJson({
      ...tally,
      weak: weak.map(({ place, text }) => `${place}: ${text}`),
      skipped: problems.map(tell),
    });
  else {
    const left = problems.length > 0 ? `; left out ${problems.length}` : '';
    say(`Took over ${count(tally.imported, 'key')}; ${tally.duplicates} already there${left}.`);
  }
  if (good.some(({ isLegacy }) => isLegacy)) say(legacyKeysNote);
  if (tally.conflicts.length > 0) {
    throw new Failure(`did not take over ${count(tally.conflicts.length, 'key')}`);
  }
}

const tell = ({ place, text }: Remark) => `${place} ${text}`;

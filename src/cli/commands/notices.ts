import { InvalidArgumentError, Option, type Command } from 'commander';
import type { KeyNotice } from '../../stores/key-store.js';
import { addCommand, type GlobalOptions } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { recordJson } from '../records/key-records.js';
import { print, printJson, say } from '../terminal/output.js';
import { formatTable } from '../terminal/table.js';
import { formatTime } from '../terminal/time.js';
import { formatDuration, parseDuration } from '../values/duration.js';

interface Options extends DatabaseOptions, GlobalOptions {
  readonly before: readonly number[];
}

const columns = [
  { title: 'KEY ID' },
  { title: 'USER', least: 8 },
  { title: 'NAME', least: 8, spare: 1 },
  { title: 'EXPIRES', least: 10 },
  { title: 'WITHIN' },
] as const;

export function addNotices(program: Command): void {
  const command = addCommand(program, 'notices', {
    about:
      'List keys that are about to expire, for a job that mails their users. Each key is listed ' +
      'once for each duration.',
    examples: ['notices --before 14d,3d --json'],
  }).addOption(
    new Option('--before <durations>', 'how long before its end a key is listed, such as 14d,3d')
      .argParser(durationsArgument)
      .makeOptionMandatory(),
  );
  addDatabaseOptions(command).action(async (_options: unknown, self: Command) =>
    notices(self.optsWithGlobals<Options>()),
  );
}

async function notices(options: Options): Promise<void> {
  const found = await withKeys(options, (keys) => keys.takeNotices({ beforeMs: options.before }));
  if (options.json) return printJson(found.map(noticeJson));
  if (found.length === 0) return say('No key has come this close to its end since the last run.');
  await print(formatTable(columns, found.map(noticeRow)));
}

const noticeJson = ({ record, beforeMs, expiresAt }: KeyNotice) => ({
  record: recordJson(record),
  beforeMs,
  expiresAt,
});

const noticeRow = ({ record, beforeMs, expiresAt }: KeyNotice): string[] => [
  record.keyId,
  record.user,
  record.name ?? '',
  formatTime(expiresAt),
  formatDuration(beforeMs),
];

function durationsArgument(text: string): number[] {
  return text.split(',').map((part) => {
    const ms = parseDuration(part.trim());
    if (ms === undefined || ms === 0)
      throw new InvalidArgumentError('Write durations with commas between: 14d,3d.');
    return ms;
  });
}

import { Option, type Command } from 'commander';
import { changeChecks } from '../../manager/change-options.js';
import type { KeyEvent } from '../../stores/key-event.js';
import { addCommand } from '../command.js';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database-options.js';
import { withKeys } from '../database/open-database.js';
import { eventsUpTo } from '../records/list-up-to.js';
import { addPageOptions, printPage, type PageOptions } from '../records/page.js';
import { formatTime } from '../terminal/time.js';
import { argumentOf } from '../values/arguments.js';
import { pastArgument } from '../values/instant.js';

interface Options extends DatabaseOptions, PageOptions {
  readonly user?: string;
  readonly since?: Date;
  readonly by?: string;
  readonly via?: string;
}

const columns = [
  { title: 'WHEN', least: 10 },
  { title: 'WHAT' },
  { title: 'KEY OR LINK' },
  { title: 'USER', least: 8 },
  { title: 'BY', least: 8 },
  { title: 'VIA', spare: 2 },
  { title: 'REASON', least: 8 },
  { title: 'CHANGES', least: 12, spare: 1 },
] as const;

export function addHistory(program: Command): void {
  const command = addCommand(program, 'history', {
    about: 'Show who changed what, when and why, newest first.',
    examples: [
      'history key_4fQz81LmBw',
      'history --user alice --since 7d --all --json',
      'history --since 7d --by bob --via desk --all',
    ],
  })
    .argument('[keyId]', 'the key id (default: every key)')
    .option('--user <user>', "only this user's keys and claim links")
    .option(
      '--since <when>',
      'only what happened since: 7d, or a date such as 2026-11-01 in local time',
      pastArgument,
    )
    .option(
      '--by <who>',
      'only what this one did, exactly as written, however far back',
      argumentOf(changeChecks.by),
    )
    .addOption(
      new Option('--via <way>', 'only what was done in this way, however far back').choices([
        'code',
        'cli',
        'desk',
        'account',
        'claim',
        'sql',
      ]),
    );
  addPageOptions(command);
  addDatabaseOptions(command).action(
    async (keyId: string | undefined, _options: unknown, self: Command) =>
      history(keyId, self.optsWithGlobals<Options>()),
  );
}

async function history(keyId: string | undefined, options: Options): Promise<void> {
  const { user, since, by, via } = options;
  const isWanted = (event: KeyEvent) =>
    (by === undefined || event.by === by) && (via === undefined || event.via === via);
  const keep = by === undefined && via === undefined ? undefined : isWanted;
  await printPage(options, {
    read: (limit) =>
      withKeys(options, (keys) => eventsUpTo(keys, { keyId, user, since }, limit, keep)),
    columns,
    rowOf: eventRow,
    jsonOf: (event) => event,
    none: keep ? 'There are no such changes.' : 'Nothing is recorded here.',
  });
}

function eventRow(event: KeyEvent): string[] {
  return [
    formatTime(event.at),
    event.what,
    event.keyId ?? event.claimId ?? '',
    event.user,
    event.by ?? '',
    event.via,
    event.reason ?? '',
    Object.entries(event.changes ?? {})
      .map(
        ([field, values]) => `${field}: ${values.map((each) => valueOf(field, each)).join(' -> ')}`,
      )
      .join('; '),
  ];
}

function valueOf(field: string, value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value !== 'string') return JSON.stringify(value);
  // A time that was changed by hand may be `infinity`.
  const instant = /(?:At|Until)$/.test(field) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(instant) ? value : formatTime(new Date(instant));
}

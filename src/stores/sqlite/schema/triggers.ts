import type { Names } from '../names.js';
import { eventTriggers } from './event-triggers.js';
import { textTriggers } from './text-triggers.js';
import { announcedColumns, type Trigger } from './trigger.js';

/** How many key ids are kept for watchers. A watcher that misses more looks up every key again. */
const keptChanges = 10_000;

/** Record the ids of changed keys, for watchers in every process. */
const announcingTriggers = (names: Names): Trigger[] => {
  const note = (select: string) => `insert into ${names.changes} (key_id) ${select};`;
  // `or replace` deletes rows without firing a trigger, so their cached keys must go too.
  const noteReplaced = note(`select key_id from ${names.keys}
          where digest = new.digest or key_id = new.key_id or replaces = new.replaces`);
  return [
    {
      ending: '_announce_replace',
      body: `before insert on ${names.keys} begin
        ${noteReplaced}
      end`,
    },
    {
      ending: '_announce_displace',
      body: `before update of digest, key_id, replaces on ${names.keys} begin
        ${noteReplaced}
      end`,
    },
    {
      ending: '_announce_insert',
      body: `after insert on ${names.keys} begin ${note('values (new.key_id)')} end`,
    },
    {
      ending: '_announce_update',
      body: `after update of ${announcedColumns.join(', ')} on ${names.keys} begin
        ${note('values (new.key_id)')}
        ${note('select old.key_id where old.key_id <> new.key_id')}
      end`,
    },
    {
      ending: '_announce_delete',
      body: `after delete on ${names.keys} begin
        ${note('values (old.key_id)')}
        delete from ${names.notices} where key_id = old.key_id;
      end`,
    },
    {
      ending: '_trim_changes',
      body: `after insert on ${names.changes} begin
        delete from ${names.changes} where seq <= new.seq - ${keptChanges};
      end`,
    },
  ];
};

const allTriggers = (names: Names): Trigger[] => [
  ...announcingTriggers(names),
  ...eventTriggers(names),
  ...textTriggers(names),
];

/** As in `sqlite_schema`, which writes the start of the statement itself and keeps the rest. */
const statementOf = (names: Names, { ending, body }: Trigger): string =>
  `CREATE TRIGGER ${names.quoted(ending)} ${body}`;

/** Creates every trigger, replacing any changed one. */
export const createTriggers = (names: Names): string =>
  allTriggers(names)
    .map(
      (trigger) =>
        `drop trigger if exists ${names.quoted(trigger.ending)};\n${statementOf(names, trigger)};`,
    )
    .join('\n');

const wanted = (names: Names, triggers: Trigger[]): Map<string, string> =>
  new Map(triggers.map((each) => [names.plain(each.ending), statementOf(names, each)]));

/** Every trigger by name, with its statement. */
export const wantedTriggers = (names: Names): Map<string, string> =>
  wanted(names, allTriggers(names));

/** The triggers without which a watcher would miss changes. */
export const wantedAnnouncements = (names: Names): Map<string, string> =>
  wanted(names, announcingTriggers(names));

import type { Names } from '../names.js';
import { quoteLiteral } from '../quote.js';
import { announcementTriggers, replicatedTrigger } from './announcements.js';
import { firstUseTrigger } from './first-use.js';

/** Modes as `pg_trigger.tgenabled` has them. O: fires for ordinary sessions; R: for those that write as replicas; A: for both. */
type Modes = readonly ('O' | 'R' | 'A')[];

/** The triggers that announce changes, and the modes in which, together, no session changes a key in silence. */
const announcing: Readonly<Record<string, Modes>> = {
  announce_insert: ['A'],
  announce_update: ['A'],
  announce_delete: ['A'],
  announce_truncate: ['A'],
  announce_replicated: ['R', 'A'],
};

/** All triggers on the table of keys. */
const triggers: Readonly<Record<string, Modes>> = { ...announcing, first_use: ['O', 'A'] };

/** Creates all triggers with their functions, for the migration and for repairs. */
export const createTriggers = (names: Names): string =>
  [firstUseTrigger, announcementTriggers, replicatedTrigger].map((create) => create(names)).join('\n');

/** Drops those that are there, whatever has become of them. */
export const dropTriggers = (names: Names): string =>
  Object.keys(triggers)
    .map((name) => `drop trigger if exists ${name} on ${names.keys};`)
    .join('\n    ');

/** As an SQL expression: whether every trigger on the table, named by an SQL text, is there and enabled as it has to be. */
export const areEnabled = (table: string): string =>
  `(select count(*) = ${Object.keys(triggers).length} from pg_catalog.pg_trigger t where ${isEnabled(triggers, table)})`;

/**
 * As an SQL expression: a text that stays the same while every announcing trigger is there and enabled; null where one is not. It
 * differs after one was disabled for a moment, as the row that describes it was written again.
 */
export const announcementStamp = (table: string): string => `(
    select case when count(*) = ${Object.keys(announcing).length}
      then string_agg(t.oid::text || ' ' || t.xmin::text, ', ' order by t.tgname) end
    from pg_catalog.pg_trigger t where ${isEnabled(announcing, table)})`;

function isEnabled(wanted: Readonly<Record<string, Modes>>, table: string): string {
  const pairs = Object.entries(wanted).flatMap(([name, modes]) =>
    modes.map((mode) => `(${quoteLiteral(name)}, '${mode}')`),
  );
  return `t.tgrelid = to_regclass(${table}) and (t.tgname, t.tgenabled) in (${pairs.join(', ')})`;
}

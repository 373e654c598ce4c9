import { quoteLiteral } from './quote.js';

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

export const triggerNames = Object.keys(triggers);

/** As an SQL expression: whether every trigger on the table, named by an SQL text, is there and does its work. */
export const areArmed = (table: string): string =>
  `(select count(*) = ${triggerNames.length} from pg_catalog.pg_trigger t where ${areWorking(triggers, table)})`;

/**
 * As an SQL expression: a text that stays the same while every announcing trigger is there and does its work; null where one does not. It
 * differs after one was off for a moment, as the row that describes it was written anew.
 */
export const announcementStamp = (table: string): string => `(
    select case when count(*) = ${Object.keys(announcing).length}
      then string_agg(t.oid::text || ' ' || t.xmin::text, ', ' order by t.tgname) end
    from pg_catalog.pg_trigger t where ${areWorking(announcing, table)})`;

function areWorking(wanted: Readonly<Record<string, Modes>>, table: string): string {
  const pairs = Object.entries(wanted).flatMap(([name, modes]) =>
    modes.map((mode) => `(${quoteLiteral(name)}, '${mode}')`),
  );
  return `t.tgrelid = to_regclass(${table}) and (t.tgname, t.tgenabled) in (${pairs.join(', ')})`;
}

import type { Names } from '../names.js';
import { quoteLiteral } from '../quote.js';
import { announce, announcementTriggers, announceRow, replicatedTrigger } from './announcements.js';
import { eventTriggers, recordClaim, recordKey, recordKeys } from './events.js';
import { firstUse, firstUseTrigger } from './first-use.js';
import { areFunctionsRight } from './functions.js';
import {
  fingerprintOf,
  fingerprintSql,
  isGuarded,
  type TriggerFunction,
} from './trigger-function.js';

interface Trigger {
  /** As `pg_trigger.tgenabled` has them. O: fires for ordinary sessions; R: for those that write as replicas; A: for both. */
  readonly modes: readonly ('O' | 'R' | 'A')[];
  /** When it fires, as `pg_trigger.tgtype` has it: 1 for each row, 4 after an insert, 8 a delete, 16 an update, 32 a truncate. */
  readonly type: number;
  /** Whether for every such change, without a condition or a list of columns. */
  readonly isAlways: boolean;
  readonly runs: TriggerFunction;
}

/** The triggers that announce changes, with the modes in which, together, no session changes a key in silence. */
const announcing: Readonly<Record<string, Trigger>> = {
  announce_insert: { modes: ['A'], type: 4, isAlways: true, runs: announce },
  announce_update: { modes: ['A'], type: 16, isAlways: true, runs: announce },
  announce_delete: { modes: ['A'], type: 8, isAlways: true, runs: announce },
  announce_truncate: { modes: ['A'], type: 32, isAlways: true, runs: announce },
  announce_replicated: {
    modes: ['R', 'A'],
    type: 1 + 4 + 8 + 16,
    isAlways: true,
    runs: announceRow,
  },
};

/** All triggers on the table of keys. */
const triggers: Readonly<Record<string, Trigger>> = {
  ...announcing,
  first_use: { modes: ['O', 'A'], type: 1 + 16, isAlways: false, runs: firstUse },
  record_insert: { modes: ['O', 'A'], type: 4, isAlways: true, runs: recordKeys },
  record_delete: { modes: ['O', 'A'], type: 8, isAlways: true, runs: recordKeys },
  record_update: { modes: ['A'], type: 1 + 16, isAlways: true, runs: recordKey },
  record_replicated: { modes: ['R', 'A'], type: 1 + 4 + 8, isAlways: true, runs: recordKey },
};

/** All triggers on the table of claim links. */
const claimTriggers: Readonly<Record<string, Trigger>> = {
  record_event: { modes: ['A'], type: 1 + 4 + 16, isAlways: true, runs: recordClaim },
};

/** Creates all triggers with their functions, for the migration and for repairs. */
export const createTriggers = (names: Names): string =>
  [firstUseTrigger, announcementTriggers, replicatedTrigger, eventTriggers]
    .map((create) => create(names))
    .join('\n');

/** Drops those that are there, whatever has become of them. */
export const dropTriggers = (names: Names): string =>
  [
    ...Object.keys(triggers).map((name) => [name, names.keys]),
    ...Object.keys(claimTriggers).map((name) => [name, names.claims]),
  ]
    .map(([name, table]) => `drop trigger if exists ${name} on ${table};`)
    .join('\n    ');

/**
 * As an SQL condition: whether the table, an SQL expression for its oid, has rows of other tables in it, or its own stand in one. Who
 * changes a row through the other table fires no statement's trigger of this one.
 */
export const isInherited = (table: string): string =>
  `exists (select from pg_catalog.pg_inherits i where i.inhparent = ${table} or i.inhrelid = ${table})`;

/**
 * As an SQL condition: whether every trigger is there, as it is created here, and enabled as it has to be, and whatever else a change
 * needs is there too.
 */
export const areArmed = (names: Names): string => `(
    (select pg_catalog.count(*) = ${Object.keys(triggers).length} ${armed(names, names.keys, triggers)})
    and (select pg_catalog.count(*) = ${Object.keys(claimTriggers).length} ${armed(names, names.claims, claimTriggers)})
    and ${[names.events, names.usage, names.notices]
      .map((table) => `pg_catalog.to_regclass(${quoteLiteral(table)}) is not null`)
      .join(' and ')}
    and ${areFunctionsRight(names)})`;

/**
 * As an SQL expression: a text that stays the same while every announcing trigger is there, as it is created here, and enabled; null where
 * one is not. It differs after a trigger, its function, or the name of the table or its schema was changed for a moment, as the row that
 * describes it was written again: for the table that of its row type, which a `truncate` leaves alone. It differs too after a change
 * that was not announced, which leaves a comment.
 */
export const announcementStamp = (names: Names): string => `(
    select case when pg_catalog.count(*) = ${Object.keys(announcing).length} then pg_catalog.string_agg(
      pg_catalog.concat_ws(' ', t.oid, t.xmin, p.oid, p.xmin, y.oid, y.xmin, n.oid, n.xmin, (
        select d.xmin::text || d.description from pg_catalog.pg_description d
        where d.objoid = p.oid and d.classoid = 'pg_catalog.pg_proc'::regclass::oid and d.objsubid = 0)), ', ' order by t.tgname) end
    ${armed(names, names.keys, announcing)})`;

/** The triggers that are as they have to be: `t`, with their functions `p`, their table `c`, its row type `y` and its schema `n`. */
function armed(names: Names, table: string, wanted: Readonly<Record<string, Trigger>>): string {
  const rows = Object.entries(wanted).flatMap(([name, { modes, type, isAlways, runs }]) =>
    modes.map(
      (mode) =>
        `(${quoteLiteral(name)}, '${mode}', ${type}, ${isAlways}, ${quoteLiteral(fingerprintOf(names, runs))})`,
    ),
  );
  return `from pg_catalog.pg_class c
      join pg_catalog.pg_type y on y.oid = c.reltype
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_trigger t on t.tgrelid = c.oid
      join pg_catalog.pg_proc p on p.oid = t.tgfoid
    where c.oid = pg_catalog.to_regclass(${quoteLiteral(table)})::oid and not ${isInherited('c.oid')}
      and ${isGuarded('p', 'c.oid')}
      and (t.tgname, t.tgenabled, t.tgtype, t.tgqual is null and t.tgattr::text = '', ${fingerprintSql('p')})
        in (${rows.join(',\n          ')})`;
}

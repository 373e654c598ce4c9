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
  /**
   * As in `pg_trigger.tgenabled`. O: fires for ordinary sessions. R: for those that write as
   * replicas. A: for both.
   */
  readonly modes: readonly ('O' | 'R' | 'A')[];
  /**
   * When it fires, as in `pg_trigger.tgtype`: 1 for each row, 4 after an insert, 8 a delete, 16
   * an update, 32 a truncate.
   */
  readonly type: number;
  /** Whether it fires for every such change, without a condition or a list of columns. */
  readonly isAlways: boolean;
  readonly runs: TriggerFunction;
}

/**
 * The triggers that announce changes, with their modes. Together they let no session change a key
 * silently.
 */
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

/** Drops the triggers that exist, changed or not. */
export const dropTriggers = (names: Names): string =>
  [
    ...Object.keys(triggers).map((name) => [name, names.keys]),
    ...Object.keys(claimTriggers).map((name) => [name, names.claims]),
  ]
    .map(([name, table]) => `drop trigger if exists ${name} on ${table};`)
    .join('\n    ');

/**
 * Whether the table holds rows of other tables, or its own rows appear in one, by inheritance: an
 * SQL condition. The table is an SQL expression for its oid. A change through the other table
 * fires no statement trigger of this one.
 */
export const isInherited = (table: string): string =>
  `exists (select from pg_catalog.pg_inherits i
    where i.inhparent = ${table} or i.inhrelid = ${table})`;

/**
 * Whether every trigger exists, as created here and enabled as needed, with everything else that
 * a change needs: an SQL condition.
 */
export const areArmed = (names: Names): string => `(
    (select pg_catalog.count(*) = ${Object.keys(triggers).length}
      ${armed(names, names.keys, triggers)})
    and (select pg_catalog.count(*) = ${Object.keys(claimTriggers).length}
      ${armed(names, names.claims, claimTriggers)})
    and ${[names.events, names.usage, names.notices]
      .map((table) => `pg_catalog.to_regclass(${quoteLiteral(table)}) is not null`)
      .join(' and ')}
    and ${areFunctionsRight(names)})`;

/**
 * The trigger version, as an SQL expression. It stays the same while every announcing trigger
 * exists, as created here, and is enabled. Null if one is not.
 *
 * It changes if a trigger, its function, or the name of the table or schema is changed, even for a
 * moment: PostgreSQL then writes the row that describes it again. For the table, that is the row
 * of its row type, which `truncate` leaves alone. It also changes if a change was not announced,
 * because that leaves a comment.
 */
export const triggerVersion = (names: Names): string => `(
    select case when pg_catalog.count(*) = ${Object.keys(announcing).length}
      then pg_catalog.string_agg(
      pg_catalog.concat_ws(' ', t.oid, t.xmin, p.oid, p.xmin, y.oid, y.xmin, n.oid, n.xmin, (
        select d.xmin::text || d.description from pg_catalog.pg_description d
        where d.objoid = p.oid and d.classoid = 'pg_catalog.pg_proc'::regclass::oid
          and d.objsubid = 0)), ', ' order by t.tgname) end
    ${armed(names, names.keys, announcing)})`;

/**
 * The triggers that are as needed: `t`, with their functions `p`, table `c`, its row type `y` and
 * schema `n`.
 */
function armed(names: Names, table: string, wanted: Readonly<Record<string, Trigger>>): string {
  const rows = Object.entries(wanted).flatMap(([name, { modes, type, isAlways, runs }]) =>
    modes.map(
      (mode) =>
        `(${quoteLiteral(name)}, '${mode}', ${type}, ${isAlways},
          ${quoteLiteral(fingerprintOf(names, runs))})`,
    ),
  );
  return `from pg_catalog.pg_class c
      join pg_catalog.pg_type y on y.oid = c.reltype
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_trigger t on t.tgrelid = c.oid
      join pg_catalog.pg_proc p on p.oid = t.tgfoid
    where c.oid = pg_catalog.to_regclass(${quoteLiteral(table)})::oid
      and not ${isInherited('c.oid')}
      and ${isGuarded('p', 'c.oid')}
      and (t.tgname, t.tgenabled, t.tgtype, t.tgqual is null and t.tgattr::text = '',
          ${fingerprintSql('p')})
        in (${rows.join(',\n          ')})`;
}

import type { Names } from '../names.js';
import { quoteLiteral } from '../quote.js';
import { createClaims } from './002-claims.js';
import { createFunctions } from './functions.js';
import type { Migration } from './migration.js';
import { createTriggers, dropTriggers } from './triggers.js';

/**
 * Pauses, allowed addresses, events, uses per day and notices, and the triggers of today. No column has a default and no table is
 * rewritten, so readers wait for a moment only. When a trigger or a function has to change after this was published, the SQL that was
 * published moves in here, and a step of its own replaces it.
 */
export const addHistory: Migration = {
  version: 4,
  sql: (names) => `
    ${createParts(names)}
    ${dropTriggers(names)}
    ${createTriggers(names)}`,
};

/** Whatever of it is missing, apart from the triggers: a table may have been left behind when the others were renamed. */
export const createParts = (names: Names): string => `
    ${unlessThere(names.claims, createClaims.sql(names))}
    alter table ${names.keys}
      add column if not exists paused_at timestamptz(3),
      add column if not exists paused_until timestamptz(3),
      add column if not exists allowed_addresses text[];
    alter table ${names.claims} add column if not exists allowed_addresses text[];
    ${unlessThere(names.events, createEvents(names))}
    ${unlessThere(names.usage, createUsage(names))}
    ${unlessThere(names.notices, createNotices(names))}
    ${createFunctions(names)}`;

const unlessThere = (table: string, sql: string) => `
    if pg_catalog.to_regclass(${quoteLiteral(table)}) is null then
      ${sql}
    end if;`;

/** `seq` tells apart what happened in one millisecond; it may not be in the order of commits. */
const createEvents = (names: Names) => `
      create table ${names.events} (
        seq bigint generated always as identity,
        event_id text collate "C" not null
          default 'event_' || pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''),
        at timestamptz(3) not null default pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp()),
        what text not null,
        key_id text collate "C",
        claim_id text collate "C",
        user_name text collate "C" not null,
        previous_user text collate "C",
        changed_by text,
        reason text,
        via text not null,
        changes jsonb,
        constraint ${names.local('_events_pkey')} primary key (event_id)
      );
      create index ${names.local('_events_list_idx')} on ${names.events} (at desc, seq desc);
      create index ${names.local('_events_key_idx')} on ${names.events} (key_id, at desc, seq desc);
      create index ${names.local('_events_user_idx')} on ${names.events} (user_name, at desc, seq desc);
      create index ${names.local('_events_from_idx')} on ${names.events} (previous_user, at desc, seq desc)
        where previous_user is not null;`;

const createUsage = (names: Names) => `
      create table ${names.usage} (
        day date not null,
        key_id text collate "C" not null,
        user_name text collate "C" not null,
        admitted bigint not null default 0,
        refused bigint not null default 0,
        constraint ${names.local('_usage_pkey')} primary key (day, key_id)
      );
      create index ${names.local('_usage_key_idx')} on ${names.usage} (key_id, day);
      create index ${names.local('_usage_user_idx')} on ${names.usage} (user_name, day);`;

/** The nearest threshold that was told of a key and an end. */
const createNotices = (names: Names) => `
      create table ${names.notices} (
        key_id text collate "C" not null,
        expires_at timestamptz(3) not null,
        before_ms bigint not null,
        told_at timestamptz(3) not null default pg_catalog.now(),
        constraint ${names.local('_notices_pkey')} primary key (key_id, expires_at)
      );`;

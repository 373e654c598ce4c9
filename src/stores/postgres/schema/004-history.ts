import type { Names } from '../names.js';
import { quoteLiteral } from '../quote.js';
import { createClaims } from './002-claims.js';
import { createFunctions } from './functions.js';
import type { Migration } from './migration.js';
import { createTriggers, dropTriggers } from './triggers.js';

/**
 * Pauses, allowed addresses, events, uses per day and notices, with the current triggers. No
 * column has a default and no table is rewritten, so readers wait only for a moment. Once this is
 * published, its SQL is fixed: to change a trigger or function, move the published SQL here and
 * add a new step.
 */
export const addHistory: Migration = {
  version: 4,
  sql: (names) => `
    ${createParts(names)}
    ${dropTriggers(names)}
    ${createTriggers(names)}`,
};

/**
 * Creates any missing part except triggers. A table may have been left behind when the others
 * were renamed.
 */
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

/** `seq` orders events of the same millisecond. It may not match the order of commits. */
const createEvents = (names: Names) => `
      create table ${names.events} (
        seq bigint generated always as identity,
        event_id text collate "C" not null
          default 'event_' || pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''),
        at timestamptz(3) not null
          default pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp()),
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
      create index ${names.local('_events_user_idx')}
        on ${names.events} (user_name, at desc, seq desc);
      create index ${names.local('_events_from_idx')}
        on ${names.events} (previous_user, at desc, seq desc)
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

/** The smallest threshold that was reported for a key and an end. */
const createNotices = (names: Names) => `
      create table ${names.notices} (
        key_id text collate "C" not null,
        expires_at timestamptz(3) not null,
        before_ms bigint not null,
        told_at timestamptz(3) not null default pg_catalog.now(),
        constraint ${names.local('_notices_pkey')} primary key (key_id, expires_at)
      );`;

import type { Names } from '../names.js';
import { nowSql, timeSql } from '../values.js';

/**
 * Matches digits in times that JavaScript or SQLite wrote: `2026-11-29T22:33:35.123Z`, or
 * `datetime('now')`.
 */
const digits = (count: number) => '[0-9]'.repeat(count);
const dayPattern = `${digits(4)}-${digits(2)}-${digits(2)}`;
const timePattern = `${digits(2)}:${digits(2)}:${digits(2)}`;

/** Refuses an invalid time. `+0 days` makes SQLite turn February 30 into another day. */
const isTime = (column: string): string => `check (
        (${column} glob '${dayPattern}T${timePattern}.${digits(3)}Z'
          or ${column} glob '${dayPattern} ${timePattern}')
        and strftime('%Y-%m-%d %H:%M:%S', substr(${column}, 1, 19), '+0 days')
          is replace(substr(${column}, 1, 19), 'T', ' ')
        and ${column} >= '0001')`;

const isJson = (column: string, type: 'array' | 'object'): string =>
  `check (case when json_valid(${column}) then json_type(${column}) = '${type}'
    else ${column} is null end)`;

const isDigest = (column: string): string => `check (
        length(${column}) = 71 and ${column} glob 'sha256:*'
          and substr(${column}, 8) not glob '*[^0-9a-f]*')`;

/**
 * The tables of version 1. With `if not exists`, a table that was dropped by hand is created
 * again beside the others.
 */
export const createTables = (names: Names): string => `
    create table if not exists ${names.migrations} (
      version integer primary key,
      applied_at text not null default (${nowSql})
    ) strict;
    create table if not exists ${names.keys} (
      key_id text not null primary key check (key_id <> ''),
      user_name text not null,
      name text,
      digest text not null unique ${isDigest('digest')},
      scopes text not null default '[]' ${isJson('scopes', 'array')},
      metadata text not null default '{}' ${isJson('metadata', 'object')},
      created_at text not null default (${nowSql}) ${isTime('created_at')},
      last_used_at text ${isTime('last_used_at')},
      expires_at text ${isTime('expires_at')},
      revoked_at text ${isTime('revoked_at')},
      replaces text unique,
      overlap_ms integer check (overlap_ms between 0 and 8640000000000000),
      paused_at text ${isTime('paused_at')},
      paused_until text ${isTime('paused_until')},
      allowed_addresses text ${isJson('allowed_addresses', 'array')}
    ) strict;
    create index if not exists ${names.quoted('_list_idx')}
      on ${names.keys} (${timeSql('created_at')} desc, key_id desc);
    create index if not exists ${names.quoted('_user_idx')}
      on ${names.keys} (user_name, ${timeSql('created_at')} desc, key_id desc);
    create table if not exists ${names.claims} (
      claim_id text not null primary key check (claim_id <> ''),
      token_digest text not null unique ${isDigest('token_digest')},
      user_name text not null,
      name text,
      scopes text not null default '[]' ${isJson('scopes', 'array')},
      metadata text not null default '{}' ${isJson('metadata', 'object')},
      key_expires_at text ${isTime('key_expires_at')},
      created_at text not null default (${nowSql}) ${isTime('created_at')},
      expires_at text not null ${isTime('expires_at')},
      claimed_at text ${isTime('claimed_at')},
      key_id text,
      revoked_at text ${isTime('revoked_at')},
      allowed_addresses text ${isJson('allowed_addresses', 'array')}
    ) strict;
    create index if not exists ${names.quoted('_claims_list_idx')}
      on ${names.claims} (${timeSql('created_at')} desc, claim_id desc);
    create table if not exists ${names.events} (
      seq integer primary key autoincrement,
      event_id text not null unique default ('event_' || lower(hex(randomblob(16)))),
      at text not null default (${nowSql}) ${isTime('at')},
      what text not null,
      key_id text,
      claim_id text,
      user_name text not null,
      previous_user text,
      changed_by text,
      reason text,
      via text not null,
      changes text ${isJson('changes', 'object')}
    ) strict;
    create index if not exists ${names.quoted('_events_key_idx')} on ${names.events} (key_id, seq);
    create index if not exists ${names.quoted('_events_user_idx')}
      on ${names.events} (user_name, seq);
    create index if not exists ${names.quoted('_events_previous_user_idx')}
      on ${names.events} (previous_user, seq) where previous_user is not null;
    create table if not exists ${names.usage} (
      day text not null check (day glob '${dayPattern}'),
      key_id text not null,
      user_name text not null,
      admitted integer not null default 0,
      refused integer not null default 0,
      primary key (day, key_id)
    ) strict;
    create index if not exists ${names.quoted('_usage_key_idx')} on ${names.usage} (key_id, day);
    create table if not exists ${names.notices} (
      key_id text not null,
      expires_at text not null,
      before_ms integer not null,
      primary key (key_id, expires_at)
    ) strict;
    create table if not exists ${names.changes} (
      seq integer primary key autoincrement,
      key_id text not null
    ) strict;
    create table if not exists ${names.context} (
      id integer primary key check (id = 1),
      via text not null,
      changed_by text,
      reason text,
      claim_id text,
      added text,
      is_silent integer not null default 0,
      rotates text,
      successor text
    ) strict;`;

/** The endings of all tables, to check whether each exists. */
export const tableEndings = [
  '',
  '_claims',
  '_events',
  '_usage',
  '_notices',
  '_changes',
  '_context',
  '_migrations',
] as const;

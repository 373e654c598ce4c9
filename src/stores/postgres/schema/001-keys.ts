import type { Names } from '../names.js';
import type { Migration } from './migration.js';

/**
 * The table of keys. Instants have milliseconds, like those of JavaScript, so each reads back as
 * it was written.
 */
export const createKeys: Migration = {
  version: 1,
  sql: (names) => `
    create table ${names.keys} (
      key_id text collate "C" not null,
      user_name text collate "C" not null,
      name text,
      digest text collate "C" not null,
      scopes text[] not null default '{}',
      metadata jsonb not null default '{}',
      created_at timestamptz(3) not null default pg_catalog.now(),
      last_used_at timestamptz(3),
      expires_at timestamptz(3),
      revoked_at timestamptz(3),
      replaces text collate "C",
      overlap_ms bigint,
      constraint ${names.local('_pkey')} primary key (key_id),
      ${keyRules(names).join(',\n      ')}
    );
    ${keyIndexes(names)}`,
};

/** Constraints besides the primary key, also for an adopted table. */
export const keyRules = (names: Names): readonly string[] => [
  `constraint ${names.local('_digest_key')} unique (digest)`,
  // Length and pattern are checked apart: a counted repetition makes the pattern eight times
  // slower.
  `constraint ${names.local('_digest_check')}
    check (pg_catalog.length(digest) = 71 and digest ~ '^sha256:[0-9a-f]+$')`,
  `constraint ${names.local('_overlap_ms_check')} check (overlap_ms >= 0)`,
];

/** Indexes besides those of the constraints, also for an adopted table. */
export const keyIndexes = (names: Names): string => `
    create unique index ${names.local('_replaces_key')} on ${names.keys} (replaces)
      where replaces is not null;
    create index ${names.local('_list_idx')} on ${names.keys} (created_at desc, key_id desc);
    create index ${names.local('_user_idx')}
      on ${names.keys} (user_name, created_at desc, key_id desc);`;

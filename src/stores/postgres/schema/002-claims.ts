import type { Migration } from './migration.js';

/**
 * The table of claim links. It describes their future keys and holds no key. It may exist already
 * if the table of keys was dropped by hand and is created again. Digests are checked like those
 * of keys.
 */
export const createClaims: Migration = {
  version: 2,
  sql: (names) => `
    create table if not exists ${names.claims} (
      claim_id text collate "C" not null,
      token_digest text collate "C" not null,
      user_name text collate "C" not null,
      name text,
      scopes text[] not null default '{}',
      metadata jsonb not null default '{}',
      key_expires_at timestamptz(3),
      created_at timestamptz(3) not null default pg_catalog.now(),
      expires_at timestamptz(3) not null,
      claimed_at timestamptz(3),
      key_id text collate "C",
      revoked_at timestamptz(3),
      constraint ${names.local('_claims_pkey')} primary key (claim_id),
      constraint ${names.local('_claims_digest_key')} unique (token_digest),
      constraint ${names.local('_claims_digest_check')}
        check (pg_catalog.length(token_digest) = 71 and token_digest ~ '^sha256:[0-9a-f]+$')
    );
    create index if not exists ${names.local('_claims_list_idx')}
      on ${names.claims} (created_at desc, claim_id desc);`,
};

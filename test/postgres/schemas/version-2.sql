create table if not exists public.api_keys_claims (
  claim_id text collate "C" not null,
  token_digest text collate "C" not null,
  user_name text collate "C" not null,
  name text,
  scopes text[] not null default '{}',
  metadata jsonb not null default '{}',
  key_expires_at timestamptz(3),
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  claimed_at timestamptz(3),
  key_id text collate "C",
  revoked_at timestamptz(3),
  constraint api_keys_claims_pkey primary key (claim_id),
  constraint api_keys_claims_digest_key unique (token_digest),
  constraint api_keys_claims_digest_check
    check (length(token_digest) = 71 and token_digest ~ '^sha256:[0-9a-f]+$')
);
create index if not exists api_keys_claims_list_idx on public.api_keys_claims (created_at desc, claim_id desc);

insert into public.api_keys_migrations (version) values (2);

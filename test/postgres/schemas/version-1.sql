create table public.api_keys_migrations (
  version integer primary key,
  applied_at timestamptz(3) not null default now(),
  details jsonb
);

create table public.api_keys (
  key_id text collate "C" not null,
  user_name text collate "C" not null,
  name text,
  digest text collate "C" not null,
  scopes text[] not null default '{}',
  metadata jsonb not null default '{}',
  created_at timestamptz(3) not null default now(),
  last_used_at timestamptz(3),
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  replaces text collate "C",
  overlap_ms bigint,
  constraint api_keys_pkey primary key (key_id),
  constraint api_keys_digest_key unique (digest),
  constraint api_keys_digest_check
    check (length(digest) = 71 and digest ~ '^sha256:[0-9a-f]+$'),
  constraint api_keys_overlap_ms_check check (overlap_ms >= 0)
);

create unique index api_keys_replaces_key on public.api_keys (replaces) where replaces is not null;
create index api_keys_list_idx on public.api_keys (created_at desc, key_id desc);
create index api_keys_user_idx on public.api_keys (user_name, created_at desc, key_id desc);

insert into public.api_keys_migrations (version) values (1);

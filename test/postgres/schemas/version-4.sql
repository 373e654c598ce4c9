do $step$
begin
    
    
    if pg_catalog.to_regclass('public.api_keys_claims') is null then
      
    create table if not exists public.api_keys_claims (
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
      constraint api_keys_claims_pkey primary key (claim_id),
      constraint api_keys_claims_digest_key unique (token_digest),
      constraint api_keys_claims_digest_check
        check (pg_catalog.length(token_digest) = 71 and token_digest ~ '^sha256:[0-9a-f]+$')
    );
    create index if not exists api_keys_claims_list_idx on public.api_keys_claims (created_at desc, claim_id desc);
    end if;
    alter table public.api_keys
      add column if not exists paused_at timestamptz(3),
      add column if not exists paused_until timestamptz(3),
      add column if not exists allowed_addresses text[];
    alter table public.api_keys_claims add column if not exists allowed_addresses text[];
    
    if pg_catalog.to_regclass('public.api_keys_events') is null then
      
      create table public.api_keys_events (
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
        constraint api_keys_events_pkey primary key (event_id)
      );
      create index api_keys_events_list_idx on public.api_keys_events (at desc, seq desc);
      create index api_keys_events_key_idx on public.api_keys_events (key_id, at desc, seq desc);
      create index api_keys_events_user_idx on public.api_keys_events (user_name, at desc, seq desc);
      create index api_keys_events_from_idx on public.api_keys_events (previous_user, at desc, seq desc)
        where previous_user is not null;
    end if;
    
    if pg_catalog.to_regclass('public.api_keys_usage') is null then
      
      create table public.api_keys_usage (
        day date not null,
        key_id text collate "C" not null,
        user_name text collate "C" not null,
        admitted bigint not null default 0,
        refused bigint not null default 0,
        constraint api_keys_usage_pkey primary key (day, key_id)
      );
      create index api_keys_usage_key_idx on public.api_keys_usage (key_id, day);
      create index api_keys_usage_user_idx on public.api_keys_usage (user_name, day);
    end if;
    
    if pg_catalog.to_regclass('public.api_keys_notices') is null then
      
      create table public.api_keys_notices (
        key_id text collate "C" not null,
        expires_at timestamptz(3) not null,
        before_ms bigint not null,
        told_at timestamptz(3) not null default pg_catalog.now(),
        constraint api_keys_notices_pkey primary key (key_id, expires_at)
      );
    end if;
    
    create or replace function public.api_keys_has_room(for_user pg_catalog.text, since pg_catalog.timestamptz, most pg_catalog.int8) returns pg_catalog.bool
      language plpgsql volatile security invoker
      set search_path = pg_catalog, pg_temp as $body$

      begin
        if current_setting('transaction_isolation') = 'repeatable read' then
          raise exception using errcode = 'feature_not_supported',
            message = 'maxKeysPerUser cannot be kept at the isolation level "repeatable read"; use "read committed"';
        end if;
        perform pg_advisory_xact_lock(hashtextextended('require-api-key public.api_keys ' || for_user, 0));
        return (
          select count(*) < most from (
            select from public.api_keys k
            where k.user_name = for_user and k.revoked_at is null
              and (k.expires_at is null or k.expires_at > since)
              and not exists (select from public.api_keys s where s.replaces = k.key_id)
            limit most
          ) counted);
      end
$body$;
    
    if not (select (select pg_catalog.pg_has_role(p.proowner, owned.relowner, 'MEMBER') from pg_catalog.pg_class owned where owned.oid = 'public.api_keys'::regclass::oid)
        from pg_catalog.pg_proc p where p.oid = 'public.api_keys_has_room(pg_catalog.text, pg_catalog.timestamptz, pg_catalog.int8)'::regprocedure::oid) then
      execute pg_catalog.format('alter function %s owner to %I', 'public.api_keys_has_room(pg_catalog.text, pg_catalog.timestamptz, pg_catalog.int8)', current_user);
    end if;

    create or replace function public.api_keys_revoke_user(of_user pg_catalog.text, moment pg_catalog.timestamptz, context pg_catalog.text) returns pg_catalog.text
      language plpgsql volatile security invoker
      set search_path = pg_catalog, pg_temp as $body$

      declare
        key_ids text[] := '{}';
        claim_ids text[] := '{}';
        more_keys text[];
        more_claims text[];
      begin
        perform set_config('require_api_key.context', statement_timestamp()::text || ' ' || context, true);
        loop
          with locked as (
            select k.key_id from public.api_keys k
            where k.user_name = of_user and k.revoked_at is null order by k.key_id for update
          ), revoked as (
            update public.api_keys k set revoked_at = moment
            from locked where k.key_id = locked.key_id returning k.key_id
          )
          select array_agg(key_id) into more_keys from revoked;
          with locked as (
            select c.claim_id from public.api_keys_claims c
            where c.user_name = of_user and c.claimed_at is null and c.revoked_at is null and c.expires_at > moment
            order by c.claim_id for update
          ), revoked as (
            update public.api_keys_claims c set revoked_at = moment
            from locked where c.claim_id = locked.claim_id returning c.claim_id
          )
          select array_agg(claim_id) into more_claims from revoked;
          exit when more_keys is null and more_claims is null;
          key_ids := key_ids || more_keys;
          claim_ids := claim_ids || more_claims;
        end loop;
        return json_build_object('keys', key_ids, 'claims', claim_ids)::text;
      end
$body$;
    
    if not (select (select pg_catalog.pg_has_role(p.proowner, owned.relowner, 'MEMBER') from pg_catalog.pg_class owned where owned.oid = 'public.api_keys'::regclass::oid)
        from pg_catalog.pg_proc p where p.oid = 'public.api_keys_revoke_user(pg_catalog.text, pg_catalog.timestamptz, pg_catalog.text)'::regprocedure::oid) then
      execute pg_catalog.format('alter function %s owner to %I', 'public.api_keys_revoke_user(pg_catalog.text, pg_catalog.timestamptz, pg_catalog.text)', current_user);
    end if;
    drop trigger if exists announce_insert on public.api_keys;
    drop trigger if exists announce_update on public.api_keys;
    drop trigger if exists announce_delete on public.api_keys;
    drop trigger if exists announce_truncate on public.api_keys;
    drop trigger if exists announce_replicated on public.api_keys;
    drop trigger if exists first_use on public.api_keys;
    drop trigger if exists record_insert on public.api_keys;
    drop trigger if exists record_delete on public.api_keys;
    drop trigger if exists record_update on public.api_keys;
    drop trigger if exists record_replicated on public.api_keys;
    drop trigger if exists record_event on public.api_keys_claims;
    
    
    create or replace function public.api_keys_first_use() returns trigger
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$

      begin
        if tg_relid is distinct from to_regclass('public.api_keys')::oid then
          raise exception 'this function is for another table';
        end if;
        update public.api_keys
          set expires_at = least(expires_at,
            case when new.created_at > pg_catalog.clock_timestamp() then new.last_used_at else least(new.last_used_at, pg_catalog.clock_timestamp()) end + new.overlap_ms * interval '1 millisecond')
          where key_id = new.replaces;
        update public.api_keys set overlap_ms = null where key_id = new.key_id;
        return null;
      end
$body$;
    revoke all on function public.api_keys_first_use() from public;
    declare
      other name;
    begin
      if exists (select from pg_catalog.pg_proc p where p.oid = 'public.api_keys_first_use()'::regprocedure::oid and not (select pg_catalog.pg_has_role(p.proowner, owned.relowner, 'MEMBER') from pg_catalog.pg_class owned where owned.oid = 'public.api_keys'::regclass::oid)) then
        execute pg_catalog.format('alter function %s owner to %I', 'public.api_keys_first_use()', current_user);
      end if;
      for other in
        select r.rolname from pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a, pg_catalog.pg_roles r where p.oid = 'public.api_keys_first_use()'::regprocedure::oid
          and r.oid = a.grantee and a.grantee <> p.proowner
      loop
        execute pg_catalog.format('revoke all on function %s from %I cascade', 'public.api_keys_first_use()', other);
      end loop;
    end;
    create trigger first_use after update of last_used_at on public.api_keys for each row
      when (new.last_used_at is not null and new.overlap_ms is not null)
      execute function public.api_keys_first_use();

    
    create or replace function public.api_keys_announce() returns trigger
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$

      declare
        
        place constant text := tg_table_schema || '.' || tg_table_name;
        channel constant text := 'require_api_key:' ||
          case when octet_length(convert_to(place, 'UTF8')) <= 47 then place
          else left(encode(sha256(convert_to(place, 'UTF8')), 'hex'), 32) end;
        ids text[];
      begin
        if tg_op = 'INSERT' then
          ids := array(select n.key_id from new_rows n limit 1001);
        elsif tg_op = 'DELETE' then
          ids := array(select o.key_id from old_rows o limit 1001);
        elsif tg_op = 'UPDATE' then
          ids := array(
            select distinct changed.changed_id
            from old_rows o full join new_rows n on n.key_id = o.key_id,
              unnest(array[o.key_id, n.key_id]) as changed (changed_id)
            where (o.key_id, o.user_name, o.name, o.digest, o.scopes, o.metadata, o.created_at, o.expires_at, o.revoked_at, o.paused_at, o.paused_until, o.allowed_addresses, o.replaces, o.overlap_ms) is distinct from (n.key_id, n.user_name, n.name, n.digest, n.scopes, n.metadata, n.created_at, n.expires_at, n.revoked_at, n.paused_at, n.paused_until, n.allowed_addresses, n.replaces, n.overlap_ms) and changed.changed_id is not null
            limit 1001);
        end if;
        if tg_op <> 'TRUNCATE' and cardinality(ids) = 0 then
          return null;
        end if;
        if pg_notification_queue_usage() >= 0.95 then
          execute format('comment on function %s is %L',
            (select t.tgfoid::regprocedure::text from pg_trigger t where t.tgrelid = tg_relid and t.tgname = tg_name),
            'a change was not announced at ' || clock_timestamp()::text);
          raise warning using errcode = '01RAK',
            message = 'the notification queue of the server is full, so this change was not announced',
            hint = 'End the oldest transaction: select pid, usename, application_name, xact_start from pg_stat_activity order by xact_start';
          return null;
        end if;
        if tg_op = 'TRUNCATE' or cardinality(ids) > 1000 then
          perform pg_notify(channel, '');
        else
          perform pg_notify(channel, changed.changed_id) from unnest(ids) as changed (changed_id);
        end if;
        return null;
      end
$body$;
    revoke all on function public.api_keys_announce() from public;
    declare
      other name;
    begin
      if exists (select from pg_catalog.pg_proc p where p.oid = 'public.api_keys_announce()'::regprocedure::oid and not (select pg_catalog.pg_has_role(p.proowner, owned.relowner, 'MEMBER') from pg_catalog.pg_class owned where owned.oid = 'public.api_keys'::regclass::oid)) then
        execute pg_catalog.format('alter function %s owner to %I', 'public.api_keys_announce()', current_user);
      end if;
      for other in
        select r.rolname from pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a, pg_catalog.pg_roles r where p.oid = 'public.api_keys_announce()'::regprocedure::oid
          and r.oid = a.grantee and a.grantee <> p.proowner
      loop
        execute pg_catalog.format('revoke all on function %s from %I cascade', 'public.api_keys_announce()', other);
      end loop;
    end;
    create trigger announce_insert after insert on public.api_keys referencing new table as new_rows
      for each statement execute function public.api_keys_announce();
    create trigger announce_update after update on public.api_keys
      referencing old table as old_rows new table as new_rows
      for each statement execute function public.api_keys_announce();
    create trigger announce_delete after delete on public.api_keys referencing old table as old_rows
      for each statement execute function public.api_keys_announce();
    create trigger announce_truncate after truncate on public.api_keys
      for each statement execute function public.api_keys_announce();
    alter table public.api_keys
      enable always trigger announce_insert,
      enable always trigger announce_update,
      enable always trigger announce_delete,
      enable always trigger announce_truncate;

    
    create or replace function public.api_keys_announce_row() returns trigger
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$

      declare
        
        place constant text := tg_table_schema || '.' || tg_table_name;
        channel constant text := 'require_api_key:' ||
          case when octet_length(convert_to(place, 'UTF8')) <= 47 then place
          else left(encode(sha256(convert_to(place, 'UTF8')), 'hex'), 32) end;
      begin
        if tg_op = 'UPDATE' and (old.key_id, old.user_name, old.name, old.digest, old.scopes, old.metadata, old.created_at, old.expires_at, old.revoked_at, old.paused_at, old.paused_until, old.allowed_addresses, old.replaces, old.overlap_ms) is not distinct from (new.key_id, new.user_name, new.name, new.digest, new.scopes, new.metadata, new.created_at, new.expires_at, new.revoked_at, new.paused_at, new.paused_until, new.allowed_addresses, new.replaces, new.overlap_ms) then
          return null;
        end if;
        if pg_notification_queue_usage() >= 0.95 then
          execute format('comment on function %s is %L',
            (select t.tgfoid::regprocedure::text from pg_trigger t where t.tgrelid = tg_relid and t.tgname = tg_name),
            'a change was not announced at ' || clock_timestamp()::text);
          raise warning using errcode = '01RAK',
            message = 'the notification queue of the server is full, so this change was not announced',
            hint = 'End the oldest transaction: select pid, usename, application_name, xact_start from pg_stat_activity order by xact_start';
          return null;
        end if;
        if tg_op <> 'INSERT' then
          perform pg_notify(channel, old.key_id);
        end if;
        if tg_op <> 'DELETE' then
          perform pg_notify(channel, new.key_id);
        end if;
        return null;
      end
$body$;
    revoke all on function public.api_keys_announce_row() from public;
    declare
      other name;
    begin
      if exists (select from pg_catalog.pg_proc p where p.oid = 'public.api_keys_announce_row()'::regprocedure::oid and not (select pg_catalog.pg_has_role(p.proowner, owned.relowner, 'MEMBER') from pg_catalog.pg_class owned where owned.oid = 'public.api_keys'::regclass::oid)) then
        execute pg_catalog.format('alter function %s owner to %I', 'public.api_keys_announce_row()', current_user);
      end if;
      for other in
        select r.rolname from pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a, pg_catalog.pg_roles r where p.oid = 'public.api_keys_announce_row()'::regprocedure::oid
          and r.oid = a.grantee and a.grantee <> p.proowner
      loop
        execute pg_catalog.format('revoke all on function %s from %I cascade', 'public.api_keys_announce_row()', other);
      end loop;
    end;
    create trigger announce_replicated after insert or update or delete on public.api_keys
      for each row execute function public.api_keys_announce_row();
    alter table public.api_keys enable replica trigger announce_replicated;

    
    create or replace function public.api_keys_record_keys() returns trigger
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$

      declare
        setting constant text := current_setting('require_api_key.context', true);
        stamp constant text := statement_timestamp()::text || ' ';
        context constant jsonb := case when starts_with(setting, stamp) then substr(setting, length(stamp) + 1)::jsonb end;
        what text;
        its_key text;
        its_claim text;
        owner text;
        previous_owner text;
        changes jsonb;
        changed_by text;
        why text;
        target regclass;
      begin
        if current_setting('session_replication_role') = 'replica' then
          return null;
        end if;
        if context ->> 'isSilent' = 'true' and has_table_privilege(coalesce(nullif(current_setting('role'), 'none'), session_user)::name,
          to_regclass('"public"."api_keys_events"')::oid, 'insert') then
          return null;
        end if;
        if context is null then
          changed_by := coalesce(nullif(current_setting('role'), 'none'), session_user);
        else
          changed_by := regexp_replace((context ->> 'by'), '[A-Za-z][0-9A-Za-z_]{0,31}_[0-9A-Za-z]{48,}|(?:sha256:)?[0-9a-fA-F]{64,}|(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])', '<secret>', 'g');
          why := regexp_replace((context ->> 'reason'), '[A-Za-z][0-9A-Za-z_]{0,31}_[0-9A-Za-z]{48,}|(?:sha256:)?[0-9a-fA-F]{64,}|(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])', '<secret>', 'g');
        end if;
        if tg_op = 'DELETE' then
          what := 'deleted';
        else
          its_claim := context ->> 'claimId';
          what := case when its_claim is not null then 'claimed'
            when context ->> 'isImport' = 'true' then 'imported' else 'created' end;
        end if;
        if tg_relid = to_regclass('public.api_keys')::oid then
          insert into public.api_keys_events (what, key_id, claim_id, user_name, previous_user, changed_by, reason, via, changes) 
            select what, r.key_id, its_claim, r.user_name, null, changed_by, why, coalesce(context ->> 'via', 'sql'), null
            from changed_rows r;
          return null;
        end if;
        target := coalesce(
          to_regclass(format('%I.%I', tg_table_schema, left(tg_table_name, length(tg_table_name) - 0) || '_events')),
          to_regclass('public.api_keys_events'));
        if not exists (
          select from pg_class fired, pg_class e, pg_roles me
          where fired.oid = tg_relid and e.oid = target and me.rolname = current_user
            and fired.relowner = me.oid and e.relowner = me.oid
        ) then
          raise exception using errcode = 'undefined_table', message = 'the table of events is missing, or not for this table';
        end if;
        execute format('insert into %s (what, key_id, claim_id, user_name, previous_user, changed_by, reason, via, changes) select $1, r.key_id, $2, r.user_name, null, $3, $4, $5, null from changed_rows r', target)
          using what, its_claim, changed_by, why, coalesce(context ->> 'via', 'sql'), its_key, owner, previous_owner, changes;
        return null;
      end
$body$;
    revoke all on function public.api_keys_record_keys() from public;
    declare
      other name;
    begin
      if exists (select from pg_catalog.pg_proc p where p.oid = 'public.api_keys_record_keys()'::regprocedure::oid and not (select pg_catalog.pg_has_role(p.proowner, owned.relowner, 'MEMBER') from pg_catalog.pg_class owned where owned.oid = 'public.api_keys'::regclass::oid)) then
        execute pg_catalog.format('alter function %s owner to %I', 'public.api_keys_record_keys()', current_user);
      end if;
      for other in
        select r.rolname from pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a, pg_catalog.pg_roles r where p.oid = 'public.api_keys_record_keys()'::regprocedure::oid
          and r.oid = a.grantee and a.grantee <> p.proowner
      loop
        execute pg_catalog.format('revoke all on function %s from %I cascade', 'public.api_keys_record_keys()', other);
      end loop;
    end;
    create trigger record_insert after insert on public.api_keys referencing new table as changed_rows
      for each statement execute function public.api_keys_record_keys();
    create trigger record_delete after delete on public.api_keys referencing old table as changed_rows
      for each statement execute function public.api_keys_record_keys();
    
    create or replace function public.api_keys_record_key() returns trigger
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$

      declare
        setting constant text := current_setting('require_api_key.context', true);
        stamp constant text := statement_timestamp()::text || ' ';
        context constant jsonb := case when starts_with(setting, stamp) then substr(setting, length(stamp) + 1)::jsonb end;
        what text;
        its_key text;
        its_claim text;
        owner text;
        previous_owner text;
        changes jsonb;
        changed_by text;
        why text;
        target regclass;
        is_rotated boolean;
      begin
        if tg_op <> 'UPDATE' and current_setting('session_replication_role') <> 'replica' then
          return null;
        end if;
        if context ->> 'isSilent' = 'true' and has_table_privilege(coalesce(nullif(current_setting('role'), 'none'), session_user)::name,
          to_regclass('"public"."api_keys_events"')::oid, 'insert') then
          return null;
        end if;
        if context is null then
          changed_by := coalesce(nullif(current_setting('role'), 'none'), session_user);
        else
          changed_by := regexp_replace((context ->> 'by'), '[A-Za-z][0-9A-Za-z_]{0,31}_[0-9A-Za-z]{48,}|(?:sha256:)?[0-9a-fA-F]{64,}|(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])', '<secret>', 'g');
          why := regexp_replace((context ->> 'reason'), '[A-Za-z][0-9A-Za-z_]{0,31}_[0-9A-Za-z]{48,}|(?:sha256:)?[0-9a-fA-F]{64,}|(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])', '<secret>', 'g');
        end if;
        if tg_op = 'DELETE' then
          what := 'deleted';
          its_key := old.key_id;
          owner := old.user_name;
        elsif tg_op = 'INSERT' then
          its_claim := context ->> 'claimId';
          what := case when its_claim is not null then 'claimed'
            when context ->> 'isImport' = 'true' then 'imported' else 'created' end;
          its_key := new.key_id;
          owner := new.user_name;
        else
          is_rotated := coalesce(context ->> 'rotates' = new.key_id, false);
          if not is_rotated and (old.key_id, old.user_name, old.name, old.digest, old.scopes, old.metadata, old.created_at, old.expires_at, old.revoked_at, old.paused_at, old.paused_until, old.allowed_addresses, old.replaces) is not distinct from (new.key_id, new.user_name, new.name, new.digest, new.scopes, new.metadata, new.created_at, new.expires_at, new.revoked_at, new.paused_at, new.paused_until, new.allowed_addresses, new.replaces)
            and (new.overlap_ms is null or new.overlap_ms is not distinct from old.overlap_ms) then
            return null;
          end if;
          changes := (
            select jsonb_object_agg(b.key, jsonb_build_array(b.value, a.value))
            from jsonb_each(jsonb_build_object(
            'name', old.name, 'scopes', old.scopes, 'expiresAt', to_char(old.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'metadata', old.metadata, 'user', old.user_name,
            'allowedAddresses', case when cardinality(old.allowed_addresses) > 0 then old.allowed_addresses end,
            'pausedUntil', to_char(old.paused_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) b
              join jsonb_each(jsonb_build_object(
            'name', new.name, 'scopes', new.scopes, 'expiresAt', to_char(new.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'metadata', new.metadata, 'user', new.user_name,
            'allowedAddresses', case when cardinality(new.allowed_addresses) > 0 then new.allowed_addresses end,
            'pausedUntil', to_char(new.paused_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) a on a.key = b.key
            where a.value is distinct from b.value);
          if is_rotated then
            changes := coalesce(changes, '{}') || jsonb_build_object('replacedBy', jsonb_build_array(null, context -> 'replacedBy'));
          end if;
          what := case when is_rotated then 'rotated'
            when old.revoked_at is null and new.revoked_at is not null then 'revoked'
            when new.paused_at is not null
              and (new.paused_at, new.paused_until) is distinct from (old.paused_at, old.paused_until) then 'paused'
            when new.paused_at is null and old.paused_at is not null then 'resumed'
            else 'updated' end;
          its_key := new.key_id;
          owner := new.user_name;
          previous_owner := nullif(old.user_name, new.user_name);
        end if;
        if changes::text ~ '[0-9A-Za-z_-]{43}' then
          changes := replace(replace(regexp_replace(regexp_replace(
            replace(replace(changes::text, E'\\\\', chr(1)), E'\\"', chr(2)),
            E'\\\\(u[0-9a-f]{4}|[bfnrt])', ' ', 'g'), '[A-Za-z][0-9A-Za-z_]{0,31}_[0-9A-Za-z]{48,}|(?:sha256:)?[0-9a-fA-F]{64,}|(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])', '<secret>', 'g'), chr(2), E'\\"'), chr(1), E'\\\\')::jsonb;
        end if;
        if tg_relid = to_regclass('public.api_keys')::oid then
          insert into public.api_keys_events (what, key_id, claim_id, user_name, previous_user, changed_by, reason, via, changes) 
            values (what, its_key, its_claim, owner, previous_owner, changed_by, why, coalesce(context ->> 'via', 'sql'), changes);
          return null;
        end if;
        target := coalesce(
          to_regclass(format('%I.%I', tg_table_schema, left(tg_table_name, length(tg_table_name) - 0) || '_events')),
          to_regclass('public.api_keys_events'));
        if not exists (
          select from pg_class fired, pg_class e, pg_roles me
          where fired.oid = tg_relid and e.oid = target and me.rolname = current_user
            and fired.relowner = me.oid and e.relowner = me.oid
        ) then
          raise exception using errcode = 'undefined_table', message = 'the table of events is missing, or not for this table';
        end if;
        execute format('insert into %s (what, key_id, claim_id, user_name, previous_user, changed_by, reason, via, changes) values ($1, $6, $2, $7, $8, $3, $4, $5, $9)', target)
          using what, its_claim, changed_by, why, coalesce(context ->> 'via', 'sql'), its_key, owner, previous_owner, changes;
        return null;
      end
$body$;
    revoke all on function public.api_keys_record_key() from public;
    declare
      other name;
    begin
      if exists (select from pg_catalog.pg_proc p where p.oid = 'public.api_keys_record_key()'::regprocedure::oid and not (select pg_catalog.pg_has_role(p.proowner, owned.relowner, 'MEMBER') from pg_catalog.pg_class owned where owned.oid = 'public.api_keys'::regclass::oid)) then
        execute pg_catalog.format('alter function %s owner to %I', 'public.api_keys_record_key()', current_user);
      end if;
      for other in
        select r.rolname from pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a, pg_catalog.pg_roles r where p.oid = 'public.api_keys_record_key()'::regprocedure::oid
          and r.oid = a.grantee and a.grantee <> p.proowner
      loop
        execute pg_catalog.format('revoke all on function %s from %I cascade', 'public.api_keys_record_key()', other);
      end loop;
    end;
    create trigger record_update after update on public.api_keys
      for each row execute function public.api_keys_record_key();
    create trigger record_replicated after insert or delete on public.api_keys
      for each row execute function public.api_keys_record_key();
    alter table public.api_keys
      enable always trigger record_update,
      enable replica trigger record_replicated;
    
    create or replace function public.api_keys_record_claim() returns trigger
      language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$

      declare
        setting constant text := current_setting('require_api_key.context', true);
        stamp constant text := statement_timestamp()::text || ' ';
        context constant jsonb := case when starts_with(setting, stamp) then substr(setting, length(stamp) + 1)::jsonb end;
        what text;
        its_key text;
        its_claim text;
        owner text;
        previous_owner text;
        changes jsonb;
        changed_by text;
        why text;
        target regclass;
      begin
        if context ->> 'isSilent' = 'true' and has_table_privilege(coalesce(nullif(current_setting('role'), 'none'), session_user)::name,
          to_regclass('"public"."api_keys_events"')::oid, 'insert') then
          return null;
        end if;
        if context is null then
          changed_by := coalesce(nullif(current_setting('role'), 'none'), session_user);
        else
          changed_by := regexp_replace((context ->> 'by'), '[A-Za-z][0-9A-Za-z_]{0,31}_[0-9A-Za-z]{48,}|(?:sha256:)?[0-9a-fA-F]{64,}|(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])', '<secret>', 'g');
          why := regexp_replace((context ->> 'reason'), '[A-Za-z][0-9A-Za-z_]{0,31}_[0-9A-Za-z]{48,}|(?:sha256:)?[0-9a-fA-F]{64,}|(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])', '<secret>', 'g');
        end if;
        if tg_op = 'INSERT' then
          what := 'claim_created';
        elsif (old.claim_id, old.token_digest, old.user_name, old.name, old.scopes, old.metadata, old.key_expires_at, old.created_at, old.expires_at, old.revoked_at, old.allowed_addresses)
            is not distinct from (new.claim_id, new.token_digest, new.user_name, new.name, new.scopes, new.metadata, new.key_expires_at, new.created_at, new.expires_at, new.revoked_at, new.allowed_addresses)
          and (coalesce(context ->> 'claimId' = new.claim_id and old.claimed_at is null, false)
            or (old.claimed_at, old.key_id) is not distinct from (new.claimed_at, new.key_id)) then
          return null;
        else
          what := case when old.revoked_at is null and new.revoked_at is not null
              then 'claim_revoked'
            when old.claimed_at is null and new.claimed_at is not null then 'claimed'
            else 'updated' end;
          its_key := new.key_id;
          previous_owner := nullif(old.user_name, new.user_name);
        end if;
        its_claim := new.claim_id;
        owner := new.user_name;
        if changes::text ~ '[0-9A-Za-z_-]{43}' then
          changes := replace(replace(regexp_replace(regexp_replace(
            replace(replace(changes::text, E'\\\\', chr(1)), E'\\"', chr(2)),
            E'\\\\(u[0-9a-f]{4}|[bfnrt])', ' ', 'g'), '[A-Za-z][0-9A-Za-z_]{0,31}_[0-9A-Za-z]{48,}|(?:sha256:)?[0-9a-fA-F]{64,}|(?<![0-9A-Za-z_-])(?=[0-9a-z_-]*[A-Z])(?=[0-9A-Z_-]*[a-z])[0-9A-Za-z_-]{43}(?![0-9A-Za-z_-])', '<secret>', 'g'), chr(2), E'\\"'), chr(1), E'\\\\')::jsonb;
        end if;
        if tg_relid = to_regclass('public.api_keys_claims')::oid then
          insert into public.api_keys_events (what, key_id, claim_id, user_name, previous_user, changed_by, reason, via, changes) 
            values (what, its_key, its_claim, owner, previous_owner, changed_by, why, coalesce(context ->> 'via', 'sql'), changes);
          return null;
        end if;
        target := coalesce(
          to_regclass(format('%I.%I', tg_table_schema, left(tg_table_name, length(tg_table_name) - 7) || '_events')),
          to_regclass('public.api_keys_events'));
        if not exists (
          select from pg_class fired, pg_class e, pg_roles me
          where fired.oid = tg_relid and e.oid = target and me.rolname = current_user
            and fired.relowner = me.oid and e.relowner = me.oid
        ) then
          raise exception using errcode = 'undefined_table', message = 'the table of events is missing, or not for this table';
        end if;
        execute format('insert into %s (what, key_id, claim_id, user_name, previous_user, changed_by, reason, via, changes) values ($1, $6, $2, $7, $8, $3, $4, $5, $9)', target)
          using what, its_claim, changed_by, why, coalesce(context ->> 'via', 'sql'), its_key, owner, previous_owner, changes;
        return null;
      end
$body$;
    revoke all on function public.api_keys_record_claim() from public;
    declare
      other name;
    begin
      if exists (select from pg_catalog.pg_proc p where p.oid = 'public.api_keys_record_claim()'::regprocedure::oid and not (select pg_catalog.pg_has_role(p.proowner, owned.relowner, 'MEMBER') from pg_catalog.pg_class owned where owned.oid = 'public.api_keys'::regclass::oid)) then
        execute pg_catalog.format('alter function %s owner to %I', 'public.api_keys_record_claim()', current_user);
      end if;
      for other in
        select r.rolname from pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a, pg_catalog.pg_roles r where p.oid = 'public.api_keys_record_claim()'::regprocedure::oid
          and r.oid = a.grantee and a.grantee <> p.proowner
      loop
        execute pg_catalog.format('revoke all on function %s from %I cascade', 'public.api_keys_record_claim()', other);
      end loop;
    end;
    create trigger record_event after insert or update on public.api_keys_claims
      for each row execute function public.api_keys_record_claim();
    alter table public.api_keys_claims enable always trigger record_event;
  insert into public.api_keys_migrations (version) values (4);
end $step$;

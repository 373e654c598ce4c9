do $step$
begin
    drop trigger if exists announce_insert on public.api_keys;
    drop trigger if exists announce_update on public.api_keys;
    drop trigger if exists announce_delete on public.api_keys;
    drop trigger if exists announce_truncate on public.api_keys;
    drop trigger if exists announce_replicated on public.api_keys;
    drop trigger if exists first_use on public.api_keys;
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
            where (o.key_id, o.user_name, o.name, o.digest, o.scopes, o.metadata, o.created_at, o.expires_at, o.revoked_at, o.replaces, o.overlap_ms) is distinct from (n.key_id, n.user_name, n.name, n.digest, n.scopes, n.metadata, n.created_at, n.expires_at, n.revoked_at, n.replaces, n.overlap_ms) and changed.changed_id is not null
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
        if tg_op = 'UPDATE' and (old.key_id, old.user_name, old.name, old.digest, old.scopes, old.metadata, old.created_at, old.expires_at, old.revoked_at, old.replaces, old.overlap_ms) is not distinct from (new.key_id, new.user_name, new.name, new.digest, new.scopes, new.metadata, new.created_at, new.expires_at, new.revoked_at, new.replaces, new.overlap_ms) then
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
  insert into public.api_keys_migrations (version) values (4);
end $step$;

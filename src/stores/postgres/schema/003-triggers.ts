import { channelDeclarations, type Names } from '../names.js';
import { dollarQuote } from '../quote.js';
import type { Migration } from './migration.js';

const columns = [
  'key_id',
  'user_name',
  'name',
  'digest',
  'scopes',
  'metadata',
  'created_at',
  'expires_at',
  'revoked_at',
  'replaces',
  'overlap_ms',
];
const rowOf = (alias: string) => `(${columns.map((column) => `${alias}.${column}`).join(', ')})`;

/**
 * The first triggers that announce changes and end an old key at the first use of its successor.
 * Processes of a version with other triggers trust cached keys for `cacheTtlMs` only.
 */
export const addTriggers: Migration = {
  version: 3,
  sql: (names) => `
    ${firstUse(names)}
    ${announce(names)}
    ${announceRow(names)}`,
};

const firstUse = (names: Names) => `
    create or replace function ${names.qualified('_first_use')}() returns trigger
      language plpgsql security definer set search_path = pg_catalog, pg_temp as ${dollarQuote(`
      begin
        update ${names.keys}
          set expires_at = least(expires_at,
            new.last_used_at + new.overlap_ms * interval '1 millisecond')
          where key_id = new.replaces;
        update ${names.keys} set overlap_ms = null where key_id = new.key_id;
        return null;
      end`)};
    revoke execute on function ${names.qualified('_first_use')}() from public;
    create trigger first_use after update of last_used_at on ${names.keys} for each row
      when (new.last_used_at is not null and new.overlap_ms is not null)
      execute function ${names.qualified('_first_use')}();`;

const announce = (names: Names) => `
    create or replace function ${names.qualified('_announce')}() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp as ${dollarQuote(`
      declare
        ${channelDeclarations}
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
            where ${rowOf('o')} is distinct from ${rowOf('n')} and changed.changed_id is not null
            limit 1001);
        end if;
        if tg_op = 'TRUNCATE' or cardinality(ids) > 1000 then
          perform pg_notify(channel, '');
        else
          perform pg_notify(channel, changed.changed_id) from unnest(ids) as changed (changed_id);
        end if;
        return null;
      end`)};
    create trigger announce_insert after insert on ${names.keys} referencing new table as new_rows
      for each statement execute function ${names.qualified('_announce')}();
    create trigger announce_update after update on ${names.keys}
      referencing old table as old_rows new table as new_rows
      for each statement execute function ${names.qualified('_announce')}();
    create trigger announce_delete after delete on ${names.keys} referencing old table as old_rows
      for each statement execute function ${names.qualified('_announce')}();
    create trigger announce_truncate after truncate on ${names.keys}
      for each statement execute function ${names.qualified('_announce')}();
    alter table ${names.keys}
      enable always trigger announce_insert,
      enable always trigger announce_update,
      enable always trigger announce_delete,
      enable always trigger announce_truncate;`;

const announceRow = (names: Names) => `
    create or replace function ${names.qualified('_announce_row')}() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp as ${dollarQuote(`
      declare
        ${channelDeclarations}
      begin
        if tg_op = 'UPDATE' and ${rowOf('old')} is not distinct from ${rowOf('new')} then
          return null;
        end if;
        if tg_op <> 'INSERT' then
          perform pg_notify(channel, old.key_id);
        end if;
        if tg_op <> 'DELETE' then
          perform pg_notify(channel, new.key_id);
        end if;
        return null;
      end`)};
    create trigger announce_replicated after insert or update or delete on ${names.keys}
      for each row execute function ${names.qualified('_announce_row')}();
    alter table ${names.keys} enable replica trigger announce_replicated;`;

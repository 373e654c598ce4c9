import { dollarQuote, quoteLiteral } from '../quote.js';
import { rowOf } from './003-announcements.js';
import type { Migration } from './migration.js';

/**
 * Announces also what is written with `session_replication_role = replica`, as tools that restore and copy do, and what logical
 * replication applies. The latter fires no statement's triggers, hence one for rows beside them; only for replicas, lest
 * others pay for each row.
 */
export const announceReplicated: Migration = {
  version: 5,
  sql: (names) => `
    create or replace function ${names.qualified('_announce_row')}() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp as ${dollarQuote(`
      declare
        channel constant text := ${quoteLiteral(names.channel)};
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
    alter table ${names.keys}
      enable always trigger announce_insert,
      enable always trigger announce_update,
      enable always trigger announce_delete,
      enable always trigger announce_truncate,
      enable replica trigger announce_replicated;`,
};

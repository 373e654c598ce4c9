import { dollarQuote, quoteLiteral } from '../quote.js';
import type { Migration } from './migration.js';

/** Past so many rows in one statement the announcement is that everything changed. */
const maxAnnounced = 1000;

const columns =
  'key_id user_name name digest scopes metadata created_at expires_at revoked_at replaces overlap_ms'.split(
    ' ',
  );

/** All of a row whose change is announced, as an SQL expression. */
export const rowOf = (alias: string) => `(${columns.map((column) => `${alias}.${column}`).join(', ')})`;

/**
 * Announces each key that is inserted, changed or deleted by anyone, once a statement, by its id; where the whole table is emptied
 * or very many rows change, by an empty text. A change of `last_used_at` alone is none.
 */
export const announceChanges: Migration = {
  version: 3,
  sql: (names) => `
    create or replace function ${names.qualified('_announce')}() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp as ${dollarQuote(`
      declare
        channel constant text := ${quoteLiteral(names.channel)};
        ids text[];
      begin
        if tg_op = 'INSERT' then
          ids := array(select n.key_id from new_rows n limit ${maxAnnounced + 1});
        elsif tg_op = 'DELETE' then
          ids := array(select o.key_id from old_rows o limit ${maxAnnounced + 1});
        elsif tg_op = 'UPDATE' then
          ids := array(
            select distinct changed.changed_id
            from old_rows o full join new_rows n on n.key_id = o.key_id,
              unnest(array[o.key_id, n.key_id]) as changed (changed_id)
            where ${rowOf('o')} is distinct from ${rowOf('n')} and changed.changed_id is not null
            limit ${maxAnnounced + 1});
        end if;
        if tg_op = 'TRUNCATE' or cardinality(ids) > ${maxAnnounced} then
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
      for each statement execute function ${names.qualified('_announce')}();`,
};

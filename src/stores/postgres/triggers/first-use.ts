import type { Names } from '../names.js';
import { dollarQuote } from '../quote.js';

/**
 * The first use of a successor that waits for it ends its predecessor. A trigger with its owner's rights, because the
 * application's role may write nothing but `last_used_at`; with a fixed search path, so that no one can put a table of
 * theirs in its place; and not for others to attach to tables of their own. Also a successor that was used before counts: its first
 * use may have been written while the trigger was disabled.
 */
export const firstUseTrigger = (names: Names): string => `
    create or replace function ${names.qualified('_first_use')}() returns trigger
      language plpgsql security definer set search_path = pg_catalog, pg_temp as ${dollarQuote(`
      begin
        update ${names.keys}
          set expires_at = least(expires_at, new.last_used_at + new.overlap_ms * interval '1 millisecond')
          where key_id = new.replaces;
        update ${names.keys} set overlap_ms = null where key_id = new.key_id;
        return null;
      end`)};
    revoke execute on function ${names.qualified('_first_use')}() from public;
    create trigger first_use after update of last_used_at on ${names.keys} for each row
      when (new.last_used_at is not null and new.overlap_ms is not null)
      execute function ${names.qualified('_first_use')}();`;

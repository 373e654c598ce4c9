import type { Names } from '../names.js';
import { quoteLiteral } from '../quote.js';
import { createFunction, type TriggerFunction } from './trigger-function.js';

/**
 * When key `k` was used, as an SQL expression. A use in the future becomes now, so that a
 * server's wrong clock cannot lengthen an overlap. If the key itself was created in the future,
 * the clock cannot be judged here.
 */
export const boundUse = (k: string, used: string): string =>
  `case when ${k}.created_at > pg_catalog.clock_timestamp() then ${used}
    else least(${used}, pg_catalog.clock_timestamp()) end`;

/**
 * Ends an old key at the first use of its successor, with the owner's rights, because the
 * application's role may only write `last_used_at`. It refuses to run for any other table. A
 * successor used earlier counts too: that use may have been written while the trigger was
 * disabled.
 */
export const firstUse: TriggerFunction = {
  ending: '_first_use',
  body: (names) => `
      begin
        if tg_relid is distinct from to_regclass(${quoteLiteral(names.keys)})::oid then
          raise exception 'this function is for another table';
        end if;
        update ${names.keys}
          set expires_at = least(expires_at,
            ${boundUse('new', 'new.last_used_at')} + new.overlap_ms * interval '1 millisecond')
          where key_id = new.replaces;
        update ${names.keys} set overlap_ms = null where key_id = new.key_id;
        return null;
      end`,
};

export const firstUseTrigger = (names: Names): string => `
    ${createFunction(names, firstUse)}
    create trigger first_use after update of last_used_at on ${names.keys} for each row
      when (new.last_used_at is not null and new.overlap_ms is not null)
      execute function ${names.qualified('_first_use')}();`;

import type { Names } from '../names.js';
import { quoteLiteral } from '../quote.js';
import { createFunction, type TriggerFunction } from './trigger-function.js';

/**
 * When key `k` was used, as an SQL expression: now, if that lies ahead. The clock of one server must not stretch an overlap. A key whose
 * own creation lies ahead is of a clock that cannot be judged here.
 */
export const boundUse = (k: string, used: string): string =>
  `case when ${k}.created_at > pg_catalog.clock_timestamp() then ${used} else least(${used}, pg_catalog.clock_timestamp()) end`;

/**
 * The first use of a successor that waits for it ends its predecessor: with its owner's rights, because the application's role may write
 * nothing but `last_used_at`. It refuses to run for any other table, which could be anyone's. Also a successor that was used before
 * counts: its first use may have been written while the trigger was disabled.
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

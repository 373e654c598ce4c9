import type { Names } from '../names.js';
import { createFunction, type TriggerFunction } from './trigger-function.js';

/**
 * The first use of a successor that waits for it ends its predecessor: with its owner's rights, because the application's role may write
 * nothing but `last_used_at`. The table is named and not that which the trigger fires on, which could be anyone's. Also a
 * successor that was used before counts: its first use may have been written while the trigger was disabled.
 */
export const firstUse: TriggerFunction = {
  ending: '_first_use',
  isDefiners: true,
  body: (names) => `
      begin
        update ${names.keys}
          set expires_at = least(expires_at, new.last_used_at + new.overlap_ms * interval '1 millisecond')
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
